import test from 'ava';
import { anchorNet, anchorNode, dialledBy, explain, NO_GROWTH, peerIds } from './anchor-net.ts';

const HOUR_MS = 3_600_000;

test('an island finds its bootstrap anchor again after a day, and names it for a day', async (t) => {
  const net = anchorNet(t);
  const config = NO_GROWTH;
  const anchor = await anchorNode(net, 'anchor', { config });
  // The anchor cannot be reached when the island starts.
  net.memory.route = (from, to) => (to.host === anchor.host ? undefined : { to, seenAs: from });
  const west = await anchorNode(net, 'west', { config, anchors: [anchor.connectString] });
  const east = await anchorNode(net, 'east', { config });
  await east.run('peer.connect', { target: west.connectString });
  await net.advance(HOUR_MS);
  net.memory.route = (from, to) => ({ to, seenAs: from });
  await net.advance(22 * HOUR_MS);
  t.false((await peerIds(west)).includes(anchor.id), 'nobody asks an anchor while the mesh has peers');
  await net.advance(1.1 * HOUR_MS);
  t.true((await peerIds(west)).includes(anchor.id));
  t.deepEqual((await explain(west)).rejoins.at(-1)?.cause, 'isolation');
  t.deepEqual((await explain(west)).sticky, [anchor.id]);
  t.is((await west.reload('anchors')).outcome, 'committed');
  t.deepEqual((await explain(west)).sticky, [anchor.id], 'a swap forgets nothing');
  await net.advance(24.1 * HOUR_MS);
  t.deepEqual((await explain(west)).sticky, []);
});

test('a node that has its bootstrap anchor within three hops leaves it alone', async (t) => {
  const net = anchorNet(t);
  const config = NO_GROWTH;
  const anchor = await anchorNode(net, 'anchor', { config });
  const between = await anchorNode(net, 'between', { config });
  await between.run('peer.connect', { target: anchor.connectString });
  const node = await anchorNode(net, 'node', { config, anchors: [anchor.connectString] });
  await node.run('peer.connect', { target: between.connectString });
  await net.advance(5_000);
  await node.run('peer.disconnect', { node_id: anchor.id });
  const before = dialledBy(net, node).length;
  await net.advance(24.2 * HOUR_MS);
  t.is(dialledBy(net, node).length, before);
  t.deepEqual((await explain(node)).sticky, []);
});

test('two islands of which one has lost the anchor merge after a day', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const north = await anchorNode(net, 'north', { anchors: [anchor.connectString] });
  const mainland = new Set([anchor.host, north.host]);
  net.memory.route = (from, to) =>
    mainland.has(to.host) !== mainland.has(from.host) ? undefined : { to, seenAs: from };
  const west = await anchorNode(net, 'west', { anchors: [anchor.connectString] });
  const east = await anchorNode(net, 'east');
  await east.run('peer.connect', { target: west.connectString });
  await net.advance(HOUR_MS);
  net.memory.route = (from, to) => ({ to, seenAs: from });
  await net.advance(22 * HOUR_MS);
  t.deepEqual(await peerIds(east), [west.id]);
  await net.advance(1.2 * HOUR_MS);
  for (const node of [anchor, north, west, east]) t.is((await peerIds(node)).length, 3, node.name);
});
