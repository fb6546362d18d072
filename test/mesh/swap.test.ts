import test from 'ava';
import { meshCounters, meshNet, peerIds, peersOf, reloadMesh } from './mesh-net.ts';

const SLOW = [new URL('./slow-section', import.meta.url)];

test('reloading mesh of the dialling side in the middle of the handshake finishes it all the same', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  net.memory.setDefaultLink({ latencyMs: 1_500 });
  await net.wait(anna.kernel.network.dial({ nodeId: bert.id, addresses: [bert.address] }));
  await net.advance(500);
  t.deepEqual(await peerIds(anna), []);
  t.is((await reloadMesh(anna)).outcome, 'committed');
  await net.advance(10_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
  t.deepEqual(await peerIds(bert), [anna.id]);
  t.is(anna.connections().length, 1);
});

test('reloading mesh of the accepting side in the middle of the handshake finishes it all the same', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = [await net.add({ name: 'anna', plugins: SLOW }), await net.add({ name: 'bert', plugins: SLOW })];
  await net.wait(anna.kernel.network.dial({ nodeId: bert.id, addresses: [bert.address] }));
  await net.advance(500);
  t.deepEqual(await peerIds(bert), []);
  t.is((await reloadMesh(bert)).outcome, 'committed');
  await net.advance(20_000);
  t.deepEqual(await peerIds(anna), [bert.id]);
  t.deepEqual(await peerIds(bert), [anna.id]);
  t.is(anna.connections().length, 1);
});

test('fifty reloads on both sides drop no connection and lose no peer', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('profile.set', { name: 'Bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  for (let round = 0; round < 25; round++) {
    for (const node of [anna, bert])
      t.is((await node.reload(round % 2 === 0 ? 'mesh' : 'social')).outcome, 'committed');
    t.deepEqual(await peerIds(anna), [bert.id]);
    t.deepEqual(await peerIds(bert), [anna.id]);
  }
  t.is(net.dials.length, 1);
  t.deepEqual(
    Object.keys(meshCounters(anna)).filter((name) => name.startsWith('peers-gone')),
    [],
  );
  await bert.run('profile.set', { name: 'Bertram' });
  await net.advance(100);
  t.like(await anna.run('profile.show', { node_id: bert.id }), { name: 'Bertram' });
});

test('mesh switched off and on again makes its connections peers again', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  for (const node of [anna, bert]) {
    await node.disable('mesh');
    await net.advance(5_000);
    await node.enable('mesh');
    await net.advance(5_000);
    t.deepEqual(await peerIds(anna), [bert.id]);
    t.deepEqual(await peerIds(bert), [anna.id]);
  }
  t.is(net.dials.length, 1);
});

test('a plugin that is switched off or on at run time is known to peers at once', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  const offers = async () => (await peersOf(anna))[0]?.features.includes('ProfileUpdate');
  t.true(await offers());
  await bert.disable('social');
  await net.advance(100);
  t.false(await offers());
  await bert.enable('social');
  await net.advance(100);
  t.true(await offers());
});

test('a part is sent late when its plugin is enabled after the handshake, on either side', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('profile.set', { name: 'Bert' });
  await anna.run('profile.set', { name: 'Anna' });
  await bert.disable('social');
  await anna.run('peer.connect', { target: bert.connectString });
  t.is((await peersOf(anna))[0]?.display_name, undefined);
  await bert.enable('social');
  await net.advance(100);
  t.is((await peersOf(anna))[0]?.display_name, 'Bert');
  t.is((await peersOf(bert))[0]?.display_name, 'Anna');
});

test('a mesh that was off for a moment is known to have been, and what its node offers from then on as well', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await anna.run('peer.connect', { target: bert.connectString });
  let changes = 0;
  const watching = anna.kernel.bus.all().subscribe(({ topic }) => {
    if (topic === 'peers/features-changed') changes++;
  });
  t.teardown(() => watching.unsubscribe());
  for (const plugin of ['social', 'social', 'mesh', 'routing', 'lookup', 'peers'] as const) {
    await net.wait(bert.kernel.host.disable(plugin));
    await net.wait(bert.kernel.host.enable(plugin));
    changes = 0;
    await net.advance(5_000);
    t.true(changes > 0, plugin);
  }
  await bert.disable('social');
  await net.advance(5_000);
  t.false((await peersOf(anna))[0]?.features.includes('ProfileUpdate'));
});
