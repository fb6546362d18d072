import test from 'ava';
import { anchorNet, anchorNode, listAnchors, peerIds } from './anchor-net.ts';

const known = async (node: Parameters<typeof listAnchors>[0]) =>
  (await listAnchors(node)).filter(({ source }) => source === 'known').map(({ node_id }) => node_id);

test('five anchors that joined one through the other know each other within ten minutes', async (t) => {
  const net = anchorNet(t);
  const config = { anchors: { declare: true } };
  const anchors = [await anchorNode(net, 'a0', { config })];
  for (let at = 1; at < 5; at++) {
    // Each starts from the one before it: a chain, not a star.
    anchors.push(await anchorNode(net, `a${at}`, { config, anchors: [anchors[at - 1]?.connectString ?? ''] }));
    await net.advance(60_000);
  }
  await net.advance(300_000);
  for (const anchor of anchors) {
    const others = anchors.filter((other) => other !== anchor).map(({ id }) => id);
    t.deepEqual((await known(anchor)).sort(), others.sort(), anchor.name);
  }
});

test('a declared anchor asks for no referrals and waits on no list', async (t) => {
  const net = anchorNet(t);
  const first = await anchorNode(net, 'first');
  const second = await anchorNode(net, 'second', {
    config: { anchors: { declare: true } },
    anchors: [first.connectString],
  });
  await net.advance(5_000);
  t.deepEqual(await peerIds(second), [first.id]);
  t.like(await first.run('anchor.referrals'), { referrals: [] });
});

test('peers of an anchor that dialled them from a passing port store its bind port', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor', { config: { anchors: { declare: true } } });
  const peer = await anchorNode(net, 'peer');
  net.memory.route = (from, to) => ({ to, seenAs: from.host === anchor.host ? { ...from, port: 50_000 } : from });
  await anchor.run('peer.connect', { target: peer.connectString });
  await net.advance(1_000);
  t.deepEqual((await listAnchors(peer))[0]?.addresses, [anchor.address]);
});

test('known_anchors has three columns, and nothing else', async (t) => {
  const net = anchorNet(t);
  const node = await anchorNode(net, 'node');
  await node.stop();
  const { openStore } = await import('../../kernel/store/index.ts');
  const { recordingLog } = await import('../rig/recording-log.ts');
  const store = openStore({ path: `${node.dataDir}/itsgoin.db`, log: recordingLog(), clock: net.clock });
  t.teardown(() => store.close());
  const columns = store
    .database('anchors')
    .prepare<{ name: string }>("SELECT name FROM pragma_table_info('known_anchors')")
    .all();
  t.deepEqual(
    columns.map(({ name }) => name),
    ['node_id', 'addresses', 'last_seen'],
  );
});
