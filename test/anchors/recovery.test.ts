import test from 'ava';
import { anchorNet, anchorNode, dialledBy, explain, listAnchors, NO_GROWTH, peerIds } from './anchor-net.ts';
import { CORE } from '../mesh/mesh-net.ts';

test('the first anchor dialled is the one of anchors.json, and nobody is dialled without the file', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const alone = await anchorNode(net, 'alone');
  const fresh = await anchorNode(net, 'fresh', { anchors: [anchor.connectString] });
  await net.advance(5_000);
  t.deepEqual(dialledBy(net, alone), []);
  t.is(dialledBy(net, fresh)[0], anchor.host);
  t.deepEqual(await peerIds(fresh), [anchor.id]);
  t.like((await listAnchors(fresh))[0], { node_id: anchor.id, source: 'known', addresses: [anchor.address] });
});

test('a fresh node waits on the list of its anchor', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const fresh = await anchorNode(net, 'fresh', { anchors: [anchor.connectString] });
  await net.advance(5_000);
  const { referrals, uses_max } = await anchor.run<{ referrals: unknown[]; uses_max: number }>('anchor.referrals');
  t.is(uses_max, 3);
  t.deepEqual(referrals, [{ node_id: fresh.id, addresses: [fresh.address], use_count: 0 }]);
});

test('starting does not wait for anchors that do not answer', async (t) => {
  const net = anchorNet(t);
  const dead = Array.from({ length: 5 }, (_, at) => `${String(at).repeat(64)}@5.9.9.${at + 1}:4433`);
  const startedMs = net.clock.now();
  const node = await anchorNode(net, 'node', { anchors: dead });
  t.true(net.clock.now() - startedMs < 2_000);
  t.is((await node.run<{ anchors: unknown[] }>('anchor.list')).anchors.length, 5);
});

test('recovery tries anchors by last seen: three dead ones, then the live one', async (t) => {
  const net = anchorNet(t);
  const live = await anchorNode(net, 'live');
  const dead = [await anchorNode(net, 'd1'), await anchorNode(net, 'd2'), await anchorNode(net, 'd3')];
  const node = await anchorNode(net, 'node');
  const anchors = [live, ...dead];
  // Learned one after the other: the live one was seen longest ago.
  for (const anchor of anchors) {
    await anchor.run('anchor.declare', { state: 'on' });
    await node.run('peer.connect', { target: anchor.connectString });
    await net.advance(1_000);
  }
  for (const anchor of anchors) {
    await node.run('peer.disconnect', { node_id: anchor.id });
    await net.advance(anchor === dead.at(-1) ? 0 : 3_000);
  }
  for (const anchor of dead) net.memory.vanish(anchor.host);
  const before = dialledBy(net, node).length;
  await net.advance(1_990);
  t.is(dialledBy(net, node).length, before, 'nothing before the debounce');
  await net.advance(60_000);
  t.deepEqual(dialledBy(net, node).slice(before), [...dead.map(({ host }) => host).reverse(), live.host]);
  t.deepEqual(await peerIds(node), [live.id]);
  const [run] = (await explain(node)).rejoins.slice(-1);
  t.is(run?.cause, 'recovery');
  t.deepEqual(
    run?.steps.map(({ result }) => result),
    ['transport/dial-timeout', 'transport/dial-timeout', 'transport/dial-timeout', 'connected'],
  );
});

test('forty links lost within a second make one recovery', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor', { config: NO_GROWTH });
  const node = await anchorNode(net, 'node', { config: NO_GROWTH, anchors: [anchor.connectString] });
  await net.advance(5_000);
  const others = [];
  for (let at = 0; at < 12; at++) {
    const other = await anchorNode(net, `o${at}`, { config: NO_GROWTH, builtin: CORE });
    await other.run('peer.connect', { target: node.connectString });
    others.push(other);
  }
  const before = (await explain(node)).rejoins.length;
  for (const other of [...others, anchor]) {
    await node.run('peer.disconnect', { node_id: other.id });
    await net.advance(70);
  }
  await net.advance(30_000);
  t.is((await explain(node)).rejoins.length, before + 1);
  t.deepEqual(await peerIds(node), [anchor.id]);
});

test('while no anchor answers it is tried again, less and less often', async (t) => {
  const net = anchorNet(t);
  const node = await anchorNode(net, 'node', { anchors: [`${'a'.repeat(64)}@5.9.9.9:4433`] });
  await net.advance(3_600_000);
  const dials = net.dials.filter(({ from }) => from === node.id).map(({ atMs }) => atMs);
  t.true(dials.length >= 6 && dials.length <= 20, `${dials.length} dials in an hour`);
  const gaps = dials.slice(1).map((atMs, at) => atMs - (dials[at] as number));
  t.true(Math.max(...gaps) <= 10 * 60_000 + 15_000);
});

test('a run under way is taken up by the next generation', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const dead = `${'a'.repeat(64)}@5.9.9.9:4433`;
  const node = await anchorNode(net, 'node', { anchors: [dead, anchor.connectString] });
  await net.advance(5_000);
  t.is((await node.reload('anchors')).outcome, 'committed');
  await net.advance(30_000);
  t.deepEqual(await peerIds(node), [anchor.id]);
});

test('stale anchors are dialled after recovery: the live one is seen again, the dead one is forgotten', async (t) => {
  const net = anchorNet(t);
  const [anchor, live, dead] = [await anchorNode(net, 'a'), await anchorNode(net, 'b'), await anchorNode(net, 'c')];
  const node = await anchorNode(net, 'node', { anchors: [anchor.connectString] });
  await net.advance(2_000);
  for (const other of [live, dead]) {
    await other.run('anchor.declare', { state: 'on' });
    await node.run('peer.connect', { target: other.connectString });
    await net.advance(500);
    await node.run('peer.disconnect', { node_id: other.id });
  }
  // Nobody is left for mesh to redial, on either side: the node must recover.
  await node.run('peer.disconnect', { node_id: anchor.id });
  // Those who come back are mesh alone, and tell nobody what they are.
  for (const other of [anchor, live]) await other.disable('anchors');
  for (const each of [node, dead, live, anchor]) {
    await each.stop();
    await net.advance(100);
  }
  await net.advance(8 * 24 * 3_600_000);
  for (const other of [anchor, live]) await net.restart(other);
  const startedMs = net.clock.now();
  const again = await net.restart(node);
  await net.advance(90_000);
  const known = await listAnchors(again);
  t.false(known.some(({ node_id }) => node_id === dead.id));
  t.true((known.find(({ node_id }) => node_id === live.id)?.last_seen_ms ?? 0) >= startedMs);
});

test('a broken anchors.json refuses the plugin with a reason, and the node starts', async (t) => {
  const net = anchorNet(t);
  const node = await anchorNode(net, 'node', { anchors: ['nonsense'], mayFail: true });
  const plugin = node.kernel.host.list().find(({ name }) => name === 'anchors');
  t.not(plugin?.state, 'active');
  t.regex(plugin?.reason ?? '', /anchors\.json/);
});
