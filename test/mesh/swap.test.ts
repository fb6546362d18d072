import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FakeNet, PLUGINS } from './fake-net.ts';

const SLOW = [...PLUGINS, fileURLToPath(new URL('slow-section', import.meta.url))];

test('reloading mesh of the dialling side in the middle of the exchange finishes it all the same', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  net.network.setDefaultLink({ latencyMs: 1_500 });
  await net.clock.until(anna.node.network.dial({ nodeId: bert.id, addresses: [bert.address] }));
  await net.clock.advance(500);
  t.deepEqual(await anna.peerIds(), []);
  t.is((await anna.reload()).outcome, 'committed');
  await net.clock.advance(10_000);
  t.deepEqual(await anna.peerIds(), [bert.id]);
  t.deepEqual(await bert.peerIds(), [anna.id]);
  t.is(anna.live().length, 1);
});

test('reloading mesh of the accepting side in the middle of the exchange finishes it all the same', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna', { plugins: SLOW }), await net.node('bert', { plugins: SLOW })];
  await net.clock.until(anna.node.network.dial({ nodeId: bert.id, addresses: [bert.address] }));
  await net.clock.advance(500);
  t.deepEqual(await bert.peerIds(), []);
  t.is((await bert.reload()).outcome, 'committed');
  await net.clock.advance(20_000);
  t.deepEqual(await anna.peerIds(), [bert.id]);
  t.deepEqual(await bert.peerIds(), [anna.id]);
  t.is(anna.live().length, 1);
});

test('fifty reloads on both sides drop no connection and lose no peer', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  await bert.run('profile.set', { name: 'Bert' });
  await anna.run('peer.connect', { target: bert.connectString });
  for (let round = 0; round < 25; round++) {
    for (const node of [anna, bert])
      t.is((await node.reload(round % 2 === 0 ? 'mesh' : 'social')).outcome, 'committed');
    t.deepEqual(await anna.peerIds(), [bert.id]);
    t.deepEqual(await bert.peerIds(), [anna.id]);
  }
  t.is(net.dials.length, 1);
  t.deepEqual(
    Object.keys(anna.counters()).filter((name) => name.startsWith('peers-gone')),
    [],
  );
  await bert.run('profile.set', { name: 'Bertram' });
  await net.clock.advance(100);
  t.like(await anna.run('profile.show', { node_id: bert.id }), { name: 'Bertram' });
});

test('mesh switched off and on again makes its connections peers again', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  await anna.run('peer.connect', { target: bert.connectString });
  for (const node of [anna, bert]) {
    await net.clock.until(node.node.host.disable('mesh'));
    await net.clock.advance(5_000);
    await net.clock.until(node.node.host.enable('mesh'));
    await net.clock.advance(5_000);
    t.deepEqual(await anna.peerIds(), [bert.id]);
    t.deepEqual(await bert.peerIds(), [anna.id]);
  }
  t.is(net.dials.length, 1);
});

test('a plugin that is switched off or on at run time is known to peers at once', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  await anna.run('peer.connect', { target: bert.connectString });
  const offers = async () => (await anna.peers())[0]?.features.includes('ProfileUpdate');
  t.true(await offers());
  await net.clock.until(bert.node.host.disable('social'));
  await net.clock.advance(100);
  t.false(await offers());
  await net.clock.until(bert.node.host.enable('social'));
  await net.clock.advance(100);
  t.true(await offers());
});

test('a section is sent late when its plugin is enabled after the exchange, on either side', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  await bert.run('profile.set', { name: 'Bert' });
  await anna.run('profile.set', { name: 'Anna' });
  await net.clock.until(bert.node.host.disable('social'));
  await anna.run('peer.connect', { target: bert.connectString });
  t.is((await anna.peers())[0]?.display_name, undefined);
  await net.clock.until(bert.node.host.enable('social'));
  await net.clock.advance(100);
  t.is((await anna.peers())[0]?.display_name, 'Bert');
  t.is((await bert.peers())[0]?.display_name, 'Anna');
});

test('a mesh that was off for a moment is known to have been, and what its node offers from then on as well', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = [await net.node('anna'), await net.node('bert')];
  await anna.run('peer.connect', { target: bert.connectString });
  let changes = 0;
  const watching = anna.node.bus.all().subscribe(({ topic }) => {
    if (topic === 'peers/features-changed') changes++;
  });
  t.teardown(() => watching.unsubscribe());
  for (const plugin of ['social', 'social', 'mesh', 'routing', 'lookup', 'peers'] as const) {
    await net.clock.until(bert.node.host.disable(plugin));
    await net.clock.until(bert.node.host.enable(plugin));
    changes = 0;
    await net.clock.advance(5_000);
    t.true(changes > 0, plugin);
  }
  await net.clock.until(bert.node.host.disable('social'));
  await net.clock.advance(5_000);
  t.false((await anna.peers())[0]?.features.includes('ProfileUpdate'));
});
