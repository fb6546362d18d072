import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FakeNet } from './fake-net.ts';
import type { FakeNode } from './fake-net.ts';

const MINUTE_MS = 60_000;
const FINDER = fileURLToPath(new URL('./finder', import.meta.url));
const ALL = ['peers', 'routing', 'lookup', 'mesh', 'social', 'worm-search'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);

test('a contact that moved is found through the one preferred peer that is known, and nobody is searched for (NPT-07)', async (t) => {
  const net = new FakeNet(t);
  const start = (name: string, options: { dataDir?: string; host?: string } = {}) =>
    net.node(name, { ...options, plugins: ALL });
  const [anna, bert, dora] = [await start('anna'), await start('bert'), await start('dora')] as const;
  // Only what the test connects is to be connected, and nobody tells anna of others.
  const quiet = (node: FakeNode, config = {}) =>
    net.clock.until(node.node.host.configure('mesh', { growth: false, ...config }));
  for (const node of [anna, bert]) await quiet(node);
  await quiet(dora, { maxMesh: 1 });
  for (const { id } of [bert, dora]) await anna.run('mesh.blacklist-add', { node_id: id });
  await bert.run('peer.connect', { target: dora.connectString });
  await net.clock.advance(75 * MINUTE_MS);
  await anna.run('follow.add', { target: bert.connectString });
  await net.clock.advance(MINUTE_MS);
  t.like(await anna.run('follow.show', { node_id: bert.id }), { nplus10: [bert.id, dora.id] });

  await bert.stop();
  // Until dora's lists do not name him.
  await net.clock.advance(3 * MINUTE_MS);
  await anna.run('peer.connect', { target: dora.connectString });
  const host = '192.0.2.77';
  // He would dial who was connected to him; it is anna who is to find him.
  net.network.setLink(host, anna.host, { dialFailure: 1 });
  const moved = await start('bert', { dataDir: bert.dataDir, host });
  await net.clock.advance(MINUTE_MS);
  t.deepEqual(await moved.peerIds(), [dora.id]);
  t.is((await anna.run<{ layer: string }>('peer.reach', { node_id: bert.id })).layer, 'none');

  net.network.setLink(host, anna.host, { dialFailure: 0 });
  const frames: string[] = [];
  t.teardown(anna.node.trace.subscribe((records) => void frames.push(...records.map(({ name }) => name))));
  await net.clock.until(anna.node.host.add(FINDER));
  await anna.run('finder.connect', { node_id: bert.id });
  t.deepEqual(
    anna.node.network.connectionsOf(bert.id).map(({ remoteAddr }) => remoteAddr),
    [moved.address],
  );
  const { resolutions } = await anna.run<{ resolutions: { result: string }[] }>('peer.explain', { node_id: bert.id });
  t.is(resolutions.at(-1)?.result, 'preferred-peers');
  t.is(frames.filter((name) => name === 'AddressRequest').length, 1);
  t.false(frames.includes('WormQuery'));
});
