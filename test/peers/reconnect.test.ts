import test from 'ava';
import { meshNet, peerIds, reloadMesh } from '../mesh/mesh-net.ts';

test('peers find each other again after the connection broke', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  net.memory.breakConnections(anna.host, bert.host);
  await net.advance(2_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
  t.deepEqual(await peerIds(bert), [anna.id]);
});

test('peers find each other again after the dialled one restarted', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.stop();
  await net.advance(120_000);
  t.deepEqual(await peerIds(anna), []);
  await net.restart(bert);
  await net.advance(90_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
});

test('peers find each other again after the dialling one restarted', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(60_000);
  await net.restart(anna);
  await net.advance(2_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
  t.deepEqual(await peerIds(bert), [anna.id]);
});

test('a crowd without slots does not take the place of the mesh among those a restarted node dials', async (t) => {
  const net = meshNet(t);
  const hub = await net.add({ name: 'hub' });
  await hub.configure('mesh', { maxMesh: 2, growth: false });
  const others = [];
  for (let n = 0; n < 6; n++) {
    const other = await net.add({ name: `other-${n}` });
    await other.configure('mesh', { growth: false });
    await other.run('peer.connect', { target: hub.connectString });
    await net.advance(1_000);
    others.push(other);
  }
  await hub.stop();
  for (const other of others) await other.stop();
  const before = net.dials.length;
  await net.restart(hub);
  await net.advance(10_000);
  t.deepEqual(
    [...new Set(net.dials.slice(before).map(({ to }) => to))].sort(),
    others.slice(0, 2).map(({ host }) => host),
  );
});

test('dials of a dead node back off and never pile up', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.stop();
  const before = net.dials.length;
  await net.advance(3_600_000);
  const dials = net.dials.slice(before);
  // 15 s of dialling and 30 to 60 s of waiting each.
  t.true(dials.length >= 45 && dials.length <= 90, `${dials.length} dials in an hour`);
  for (const [at, dial] of dials.entries()) {
    const next = dials[at + 1];
    if (next !== undefined) t.true(next.atMs - dial.atMs >= 15_000, 'two dials at once');
  }
  t.like(await anna.run('peer.explain', { node_id: bert.id }), { connected_by_user: true, connections: [] });
});

test('reloading mesh does not start the back-off anew', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.stop();
  await net.advance(600_000);
  const explain = () => anna.run<{ verdict: string; next_attempt_ms: number }>('peer.explain', { node_id: bert.id });
  const before = await explain();
  t.is((await reloadMesh(anna)).outcome, 'committed');
  const after = await explain();
  t.regex(after.verdict, /after \d+ failures/);
  t.is(after.verdict, before.verdict);
});

test('whom the user disconnects stays away, on both sides, also after a restart', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.run('follow.add', { target: anna.id });
  t.deepEqual(await anna.run('peer.disconnect', { node_id: bert.id }), { closed: 1 });
  await net.advance(600_000);
  t.deepEqual(await peerIds(anna), []);
  await net.restart(anna);
  await net.advance(60_000);
  t.is(net.dials.filter(({ from }) => from === anna.id).length, 1);
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual(await peerIds(anna), [bert.id]);
});

test('a node that comes back dials those who were connected to it, once', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  await bert.stop();
  // Long enough for anna to wait most of a minute before her next dial.
  await net.advance(600_000);
  const before = net.dials.length;
  await net.restart(bert);
  await net.advance(1_000);
  t.deepEqual(
    net.dials.slice(before).map(({ from }) => from),
    [bert.id],
  );
  t.deepEqual(await peerIds(bert), [anna.id]);
  await anna.stop();
  await net.advance(120_000);
  t.is(net.dials.filter(({ from }) => from === bert.id).length, 1);
});

test('a node that vanished without a word and comes back is a peer again, on one connection', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const bert = await net.add({ name: 'bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  net.memory.vanish(bert.host);
  await bert.stop();
  t.is(anna.connections().length, 1);
  await net.restart(bert);
  await net.advance(2_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
  t.is(anna.connections().length, 1);
  await net.advance(60_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
});

test('two halves of a network find each other after it has healed', async (t) => {
  const net = meshNet(t);
  const hub = await net.add({ name: 'hub' });
  const others = await net.start('a', 'b', 'c');
  for (const node of others) await node.run('peer.connect', { target: hub.connectString });
  net.memory.partition([[hub.host], others.map(({ host }) => host)]);
  await net.advance(600_000);
  t.deepEqual(await peerIds(hub), []);
  net.memory.heal();
  await net.advance(90_000);
  t.deepEqual((await peerIds(hub)).toSorted(), others.map(({ id }) => id).toSorted());
});
