import test from 'ava';
import { anchorNet, explain, listAnchors, NO_GROWTH, PLUGINS } from './anchor-net.ts';

test('the first anchor dialled is the one of anchors.json, and nobody is dialled without the file', async (t) => {
  const net = anchorNet(t);
  const anchor = await net.anchorNode('anchor');
  const alone = await net.anchorNode('alone');
  const fresh = await net.anchorNode('fresh', { anchors: [anchor.connectString] });
  await net.clock.advance(5_000);
  t.deepEqual(net.dialledBy(alone), []);
  t.is(net.dialledBy(fresh)[0], anchor.host);
  t.deepEqual(await fresh.peerIds(), [anchor.id]);
  t.like((await listAnchors(fresh))[0], { node_id: anchor.id, source: 'known', addresses: [anchor.address] });
});

test('a fresh node waits on the list of its anchor', async (t) => {
  const net = anchorNet(t);
  const anchor = await net.anchorNode('anchor');
  const fresh = await net.anchorNode('fresh', { anchors: [anchor.connectString] });
  await net.clock.advance(5_000);
  const { referrals, uses_max } = await anchor.run<{ referrals: unknown[]; uses_max: number }>('anchor.referrals');
  t.is(uses_max, 3);
  t.deepEqual(referrals, [{ node_id: fresh.id, addresses: [fresh.address], use_count: 0 }]);
});

test('starting does not wait for anchors that do not answer', async (t) => {
  const net = anchorNet(t);
  const dead = Array.from({ length: 5 }, (_, at) => `${String(at).repeat(64)}@5.9.9.${at + 1}:4433`);
  const startedMs = net.clock.now();
  const node = await net.anchorNode('node', { anchors: dead });
  t.true(net.clock.now() - startedMs < 2_000);
  t.is((await node.run<{ anchors: unknown[] }>('anchor.list')).anchors.length, 5);
});

test('recovery tries anchors by last seen: three dead ones, then the live one', async (t) => {
  const net = anchorNet(t);
  const live = await net.anchorNode('live');
  const dead = [await net.anchorNode('d1'), await net.anchorNode('d2'), await net.anchorNode('d3')];
  const node = await net.anchorNode('node');
  const anchors = [live, ...dead];
  // Learned one after the other: the live one was seen longest ago.
  for (const anchor of anchors) {
    await anchor.run('anchor.declare', { state: 'on' });
    await node.run('peer.connect', { target: anchor.connectString });
    await net.clock.advance(1_000);
  }
  for (const anchor of anchors) {
    await node.run('peer.disconnect', { node_id: anchor.id });
    await net.clock.advance(anchor === dead.at(-1) ? 0 : 3_000);
  }
  for (const anchor of dead) net.network.vanish(anchor.host);
  const before = net.dialledBy(node).length;
  await net.clock.advance(1_990);
  t.is(net.dialledBy(node).length, before, 'nothing before the debounce');
  await net.clock.advance(60_000);
  t.deepEqual(net.dialledBy(node).slice(before), [...dead.map(({ host }) => host).reverse(), live.host]);
  t.deepEqual(await node.peerIds(), [live.id]);
  const [run] = (await explain(node)).rejoins.slice(-1);
  t.is(run?.cause, 'recovery');
  t.deepEqual(
    run?.steps.map(({ result }) => result),
    ['transport/dial-timeout', 'transport/dial-timeout', 'transport/dial-timeout', 'connected'],
  );
});

test('forty links lost within a second make one recovery', async (t) => {
  const net = anchorNet(t);
  const anchor = await net.anchorNode('anchor', { config: NO_GROWTH });
  const node = await net.anchorNode('node', { config: NO_GROWTH, anchors: [anchor.connectString] });
  await net.clock.advance(5_000);
  const others = [];
  for (let at = 0; at < 12; at++) {
    const other = await net.anchorNode(`o${at}`, { config: NO_GROWTH, plugins: PLUGINS.slice(0, 4) });
    await other.run('peer.connect', { target: node.connectString });
    others.push(other);
  }
  const before = (await explain(node)).rejoins.length;
  for (const other of [...others, anchor]) {
    await node.run('peer.disconnect', { node_id: other.id });
    await net.clock.advance(70);
  }
  await net.clock.advance(30_000);
  t.is((await explain(node)).rejoins.length, before + 1);
  t.deepEqual(await node.peerIds(), [anchor.id]);
});

test('while no anchor answers it is tried again, less and less often', async (t) => {
  const net = anchorNet(t);
  const node = await net.anchorNode('node', { anchors: [`${'a'.repeat(64)}@5.9.9.9:4433`] });
  await net.clock.advance(3_600_000);
  const dials = net.dials.filter(({ from }) => from === node.id).map(({ atMs }) => atMs);
  t.true(dials.length >= 6 && dials.length <= 20, `${dials.length} dials in an hour`);
  const gaps = dials.slice(1).map((atMs, at) => atMs - (dials[at] as number));
  t.true(Math.max(...gaps) <= 10 * 60_000 + 15_000);
});

test('a run under way is taken up by the next generation', async (t) => {
  const net = anchorNet(t);
  const anchor = await net.anchorNode('anchor');
  const dead = `${'a'.repeat(64)}@5.9.9.9:4433`;
  const node = await net.anchorNode('node', { anchors: [dead, anchor.connectString] });
  await net.clock.advance(5_000);
  t.is((await node.reload('anchors')).outcome, 'committed');
  await net.clock.advance(30_000);
  t.deepEqual(await node.peerIds(), [anchor.id]);
});

test('stale anchors are dialled after recovery: the live one is seen again, the dead one is forgotten', async (t) => {
  const net = anchorNet(t);
  const [anchor, live, dead] = [await net.anchorNode('a'), await net.anchorNode('b'), await net.anchorNode('c')];
  const node = await net.anchorNode('node', { anchors: [anchor.connectString] });
  await net.clock.advance(2_000);
  for (const other of [live, dead]) {
    await other.run('anchor.declare', { state: 'on' });
    await node.run('peer.connect', { target: other.connectString });
    await net.clock.advance(500);
    await node.run('peer.disconnect', { node_id: other.id });
  }
  // Nobody is left for mesh to redial, on either side: the node must recover.
  await node.run('peer.disconnect', { node_id: anchor.id });
  for (const each of [node, dead, live, anchor]) {
    await each.stop();
    await net.clock.advance(100);
  }
  await net.clock.advance(8 * 24 * 3_600_000);
  const plugins = PLUGINS.slice(0, 4);
  for (const { name, dataDir, host } of [anchor, live]) await net.anchorNode(name, { dataDir, host, plugins });
  const startedMs = net.clock.now();
  const again = await net.anchorNode('node', { dataDir: node.dataDir, host: node.host });
  await net.clock.advance(90_000);
  const known = await listAnchors(again);
  t.false(known.some(({ node_id }) => node_id === dead.id));
  t.true((known.find(({ node_id }) => node_id === live.id)?.last_seen_ms ?? 0) >= startedMs);
});

test('a broken anchors.json refuses the plugin with a reason, and the node starts', async (t) => {
  const net = anchorNet(t);
  const node = await net.anchorNode('node', { anchors: ['nonsense'] });
  const plugin = node.node.host.list().find(({ name }) => name === 'anchors');
  t.not(plugin?.state, 'active');
  t.regex(plugin?.reason ?? '', /anchors\.json/);
});
