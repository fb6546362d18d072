import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { CORE, meshNet, peerIds } from './mesh-net.ts';

const MINUTE_MS = 60_000;
const FINDER = new URL('./finder', import.meta.url);

test('a contact that moved is found through the one preferred peer that is known, and nobody is searched for (NPT-07)', async (t) => {
  const net = meshNet(t, { builtin: [...CORE, 'social', 'presence', 'worm-search'] });
  const [anna, bert, dora] = await net.start('anna', 'bert', 'dora');
  // Only what the test connects is to be connected, and nobody tells anna of others.
  const quiet = (node: TestNode, config = {}) => node.configure('mesh', { growth: false, ...config });
  for (const node of [anna, bert]) await quiet(node);
  await quiet(dora, { maxMesh: 1 });
  for (const { id } of [bert, dora]) await anna.run('mesh.blacklist-add', { node_id: id });
  await bert.run('peer.connect', { target: dora.connectString });
  await net.advance(75 * MINUTE_MS);
  await anna.run('follow.add', { target: bert.connectString });
  await net.advance(MINUTE_MS);
  t.like(await anna.run('follow.show', { node_id: bert.id }), { nplus10: [bert.id, dora.id] });

  await bert.stop();
  // Until dora's lists do not name him.
  await net.advance(3 * MINUTE_MS);
  await anna.run('peer.connect', { target: dora.connectString });
  const host = '5.6.7.77';
  // He would dial who was connected to him; it is anna who is to find him.
  net.memory.setLink(host, anna.host, { dialFailure: 1 });
  const moved = await net.restart(bert, { host });
  await net.advance(MINUTE_MS);
  t.deepEqual(await peerIds(moved), [dora.id]);
  t.is((await anna.run<{ layer: string }>('peer.reach', { node_id: bert.id })).layer, 'none');

  net.memory.setLink(host, anna.host, { dialFailure: 0 });
  const frames: string[] = [];
  t.teardown(anna.kernel.trace.subscribe((records) => void frames.push(...records.map(({ name }) => name))));
  await anna.add(FINDER);
  await anna.run('finder.connect', { node_id: bert.id });
  t.deepEqual(
    anna.connections(bert).map(({ remoteAddr }) => remoteAddr),
    [moved.address],
  );
  const { resolutions } = await anna.run<{ resolutions: { result: string }[] }>('peer.explain', { node_id: bert.id });
  t.is(resolutions.at(-1)?.result, 'preferred-peers');
  t.is(frames.filter((name) => name === 'AddressRequest').length, 1);
  t.false(frames.includes('WormQuery'));
});
