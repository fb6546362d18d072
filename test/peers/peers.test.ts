import test from 'ava';
import { meshCounters, meshNet, peersOf, type PeerView, reloadMesh } from '../mesh/mesh-net.ts';

test('a connect string makes each node the peer of the other', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('profile.set', { name: 'Bert' });
  const view = await anna.run<PeerView>('peer.connect', { target: bert.connectString });
  t.is(view.node_id, bert.id);
  t.is(view.kind, 'mesh');
  t.is(view.display_name, 'Bert');
  await net.advance(100);
  const [seen] = await peersOf(bert);
  t.is(seen?.node_id, anna.id);
  t.is(seen?.direction, 'inbound');
  t.is(seen?.remote_addr, anna.address);
  t.true(seen?.features.includes('ProfileUpdate'));
});

test('no command connected to a node by its id', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await anna.run('peer.disconnect', { node_id: bert.id });
  const view = await anna.run<PeerView>('peer.connect', { target: bert.id.slice(0, 12) });
  t.is(view.node_id, bert.id);
  await t.throwsAsync(anna.run('peer.connect', { target: 'f'.repeat(64) }), { code: 'resolve/unreachable' });
});

test('connecting again gives the same connection', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.run('peer.connect', { target: anna.connectString });
  t.is(net.dials.length, 1);
  t.is(anna.connections().length, 1);
});

test('malformed targets, the own node and unknown ids are refused with a code', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  await t.throwsAsync(anna.run('peer.connect', { target: 'nonsense' }), { code: 'mesh/bad-connect-string' });
  await t.throwsAsync(anna.run('peer.connect', { target: anna.connectString }), { code: 'mesh/own-node' });
  await t.throwsAsync(anna.run('peer.disconnect', { node_id: 'x' }), { code: 'kit/bad-node-id' });
  await t.throwsAsync(anna.run('peer.disconnect', { node_id: 'f'.repeat(64) }), { code: 'mesh/not-a-peer' });
  await t.throwsAsync(anna.run('peer.explain', { node_id: 'f'.repeat(64) }), { code: 'mesh/unknown-peer' });
  t.is(net.dials.length, 0);
});

test('a node that does not answer gives the dial error, and is not redialled', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const target = `${'b'.repeat(64)}@127.0.0.1:9`;
  await t.throwsAsync(anna.run('peer.connect', { target }), { code: 'transport/dial-timeout' });
  await net.advance(300_000);
  t.is(net.dials.length, 1);
  const explained = await anna.run<{ verdict: string; attempts: { result: string; took_ms: number }[] }>(
    'peer.explain',
    {
      node_id: 'b'.repeat(64),
    },
  );
  t.is(explained.attempts[0]?.result, 'transport/dial-timeout');
  t.is(explained.attempts[0]?.took_ms, 15_000);
  t.regex(explained.verdict, /nobody asked/);
});

test('both sides send a heartbeat every 30 s', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(10 * 30_000 + 15_000);
  t.is(meshCounters(anna)['keepalives-received'], 10);
  t.is(meshCounters(bert)['keepalives-received'], 10);
  const [peer] = await peersOf(anna);
  t.true((peer?.last_activity_ms ?? 0) >= net.clock.now() - 35_000);
});

test('heartbeats keep their clock when mesh is reloaded more often than they are due', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  for (let round = 0; round < 12; round++) {
    t.is((await reloadMesh(anna)).outcome, 'committed');
    await net.advance(10_000);
  }
  t.true((meshCounters(bert)['keepalives-received'] ?? 0) >= 3);
});

test('a connection with no frame for zombieMs is closed as zombie, one with heartbeats is not', async (t) => {
  const net = meshNet(t);
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  for (const node of [anna, bert]) {
    await node.configure('peers', { keepAliveMs: 300_000, zombieMs: 60_000 });
  }
  await anna.run('peer.connect', { target: bert.connectString });
  await anna.run('peer.connect', { target: carl.connectString });
  await net.advance(58_000);
  t.is(anna.connections().length, 2);
  await net.advance(20_000);
  t.is(meshCounters(bert)['peers-gone.zombie'], 1);
  t.is(meshCounters(carl)['peers-gone.zombie'], undefined);
});

test('inbound connections above maxMesh are sessions', async (t) => {
  const net = meshNet(t);
  const hub = await net.add({ name: 'hub' });
  await hub.configure('mesh', { maxMesh: 2 });
  for (const name of ['a', 'b', 'c']) {
    const node = await net.add({ name });
    await node.run('peer.connect', { target: hub.connectString });
  }
  await net.advance(100);
  t.deepEqual(
    (await peersOf(hub)).map(({ kind }) => kind),
    ['mesh', 'mesh', 'session'],
  );
});

test('peer explain tells addresses, attempts, handshake and traffic', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  const explained = await anna.run<Record<string, unknown>>('peer.explain', { node_id: bert.id });
  t.like(explained, {
    verdict: 'connected',
    addresses: [bert.address],
    connected_by_user: true,
    held_off: false,
    attempts: [{ rule: 'user', result: 'connected' }],
    last_exchange: { result: 'ready' },
    connections: [{ direction: 'outbound', exchange: 'ready', protocol: 1, sees_us_at: anna.address }],
  });
});
