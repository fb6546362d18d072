import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { anchorNet, anchorNode } from '../anchors/anchor-net.ts';
import { CORE, meshNet } from './mesh-net.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When events of a topic came, on the net's clock, from now on. */
function timesOf(t: ExecutionContext, node: TestNode, topic: string, matches = (_event: unknown): boolean => true) {
  const times: number[] = [];
  const listening = node.kernel.bus.all().subscribe((entry) => {
    if (entry.topic === topic && matches(entry.event)) times.push(node.clock.now());
  });
  t.teardown(() => listening.unsubscribe());
  return times;
}

/** When frames of a name came in from a peer. */
function framesOf(t: ExecutionContext, node: TestNode, name: string, from: TestNode) {
  const times: number[] = [];
  const stop = node.kernel.trace.subscribe((records) => {
    for (const record of records) {
      const isOurs = record.direction === 'in' && record.name === name && record.peer === from.id;
      if (isOurs) times.push(node.clock.now());
    }
  });
  t.teardown(stop);
  return times;
}

const spacings = (times: readonly number[]): number[] =>
  times.slice(1).map((atMs, index) => atMs - (times[index] as number));

test('a rebalance runs every ten minutes, and once more when a person asks (CYC-03)', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const byTimer = timesOf(t, anna, 'mesh/rebalanced', (event) => (event as { cause: string }).cause === 'timer');
  const byHand = timesOf(t, anna, 'mesh/rebalanced', (event) => (event as { cause: string }).cause === 'command');
  await net.advance(35 * MINUTE_MS);
  await anna.run('rebalance.now');
  await net.advance(30 * MINUTE_MS);
  t.is(byTimer.length, 6);
  t.deepEqual([...new Set(spacings(byTimer))], [600_000]);
  t.is(byHand.length, 1);
});

test('lists are told every two minutes, and at once when the mesh changes (CYC-02)', async (t) => {
  const net = meshNet(t);
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(5 * MINUTE_MS);
  const told = framesOf(t, anna, 'NodeListUpdate', bert);
  await net.advance(20 * MINUTE_MS);
  t.true(told.length >= 9 && told.length <= 11, `${told.length} in 20 minutes`);
  t.true(Math.max(...spacings(told)) <= 130_000);
  const before = told.length;
  await carl.run('peer.connect', { target: bert.connectString });
  await net.advance(200);
  t.is(told.length, before + 1);
});

test('in more than a day an anchor is asked once at the start, once a recovery and never besides (CYC-08)', async (t) => {
  const net = anchorNet(t);
  const config = { mesh: { growth: false }, peers: { keepAliveMs: 300_000, redialBaseMs: 60_000 } };
  const anchor = await anchorNode(net, 'anchor', { config });
  await anchor.run('anchor.declare', { state: 'on' });
  const node = await anchorNode(net, 'node', { config, anchors: [anchor.connectString] });
  const registered = framesOf(t, anchor, 'AnchorRegister', node);
  await net.advance(4 * HOUR_MS);
  const atStart = registered.length;
  net.memory.breakConnections(anchor.host, node.host);
  await net.advance(22 * HOUR_MS);
  const { rejoins } = await node.run<{ rejoins: { cause: string }[] }>('anchor.explain');
  t.deepEqual(
    rejoins.map(({ cause }) => cause),
    ['bootstrap', 'recovery'],
  );
  t.true(atStart <= 1);
  t.is(registered.length, atStart + 1);
});

test('below nine tenths of its slots a node dials within 100 ms of a list, above only by the timer (CONN-01)', async (t) => {
  const net = meshNet(t);
  const hub = await net.add({ name: 'hub' });
  const anna = await net.add({ name: 'anna' });
  await anna.run('peer.connect', { target: hub.connectString });
  await net.advance(5 * MINUTE_MS);
  const lists = framesOf(t, anna, 'NodeListUpdate', hub);
  const newcomer = async (name: string): Promise<number[]> => {
    const node = await net.add({ name });
    await node.configure('mesh', { growth: false });
    const dialled = net.dials.length;
    const told = lists.length;
    await node.run('peer.connect', { target: hub.connectString });
    await net.advance(200);
    t.is(lists.length, told + 1);
    return net.dials
      .slice(dialled)
      .filter(({ from, to }) => from === anna.id && to === node.host)
      .map(({ atMs }) => atMs - (lists.at(-1) as number));
  };
  const [latency] = await newcomer('first');
  t.true(latency !== undefined && latency <= 100, `${latency} ms`);
  // Two of two: what comes above the limit of growth waits for a slot.
  await net.advance(MINUTE_MS);
  await anna.configure('mesh', { maxMesh: 2 });
  await net.advance(MINUTE_MS);
  t.deepEqual(await newcomer('second'), []);
});

test('the timer of growth fills what lists leave open (CYC-04)', async (t) => {
  const net = meshNet(t);
  const nodes: TestNode[] = [];
  for (let n = 0; n < 12; n++) {
    const node = await net.add({ name: `n${n}` });
    await node.configure('mesh', { maxMesh: n === 1 ? 10 : 20, growth: n === 1 });
    nodes.push(node);
  }
  const [hub, anna] = nodes as [TestNode, TestNode];
  for (const node of nodes.slice(1)) await node.run('peer.connect', { target: hub.connectString });
  await net.advance(3 * MINUTE_MS);
  const held = async () => (await anna.run<{ held: number }>('mesh.slots')).held;
  t.is(await held(), 10);
  // One goes: nine of ten are enough for lists, the tenth comes with the timer.
  const slots = timesOf(t, anna, 'mesh/slot-changed', (event) => (event as { slot: string }).slot !== 'none');
  const lost = nodes.find(
    ({ id }) => id !== hub.id && anna.connections().some(({ peer }) => peer.nodeId === id),
  ) as TestNode;
  await lost.stop();
  const leftAtMs = net.clock.now();
  await net.advance(90_000);
  t.is(await held(), 10);
  const waited = (slots[0] as number) - leftAtMs;
  t.true(waited > 0 && waited <= 67_000, `${waited} ms`);
});

test('two who keep apart never share a slot, and sessions between them work (MESH-08)', async (t) => {
  const net = meshNet(t);
  const nodes: TestNode[] = [];
  for (const name of ['hub', 'anna', 'bert', 'carl']) {
    const node = await net.add({ name });
    await node.configure('peers', { keepAliveMs: 300_000 });
    nodes.push(node);
  }
  const [hub, anna, bert] = nodes as [TestNode, TestNode, TestNode];
  await anna.run('mesh.blacklist-add', { node_id: bert.id });
  await bert.run('mesh.blacklist-add', { node_id: anna.id });
  const together = (one: TestNode, other: NodeId) =>
    timesOf(t, one, 'mesh/slot-changed', (event) => {
      const { peer, slot } = event as { peer: { nodeId: string }; slot: string };
      return peer.nodeId === other && slot !== 'none';
    });
  const times = [together(anna, bert.id), together(bert, anna.id)];
  for (const node of nodes.slice(1)) await node.run('peer.connect', { target: hub.connectString });
  await net.advance(2 * HOUR_MS);
  t.deepEqual(times, [[], []]);
  t.is((await anna.run<{ held: number }>('mesh.slots')).held, 2);
  t.is((await anna.run<{ layer: string }>('peer.reach', { node_id: bert.id })).layer, 'n2', 'N2 strangers');
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual(
    anna.connections(bert).map(({ kind }) => kind),
    ['session'],
  );
});

test('a preferred peer that is away is searched for in the first hour, and welcome whenever it comes', async (t) => {
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence', 'worm-search'] });
  const [anna, bert, carl] = await net.start('anna', 'bert', 'carl');
  // He remembers them: that anna looks for him has no other reason than the agreement.
  for (const node of [anna, carl]) await bert.run('peer.connect', { target: node.connectString });
  await net.advance(130 * MINUTE_MS);
  const preferred = async () => (await anna.run<{ preferred: string[] }>('mesh.slots')).preferred;
  t.true((await preferred()).includes(bert.id));
  await bert.stop();
  const searches: number[] = [];
  const stop = anna.kernel.trace.subscribe((records) => {
    for (const { name, direction } of records)
      if (name === 'WormQuery' && direction === 'out') searches.push(net.clock.now());
  });
  t.teardown(stop);
  const leftAtMs = net.clock.now();
  await net.advance(6 * HOUR_MS);
  t.true(searches.length > 0);
  t.true(Math.max(...searches) <= leftAtMs + 70 * MINUTE_MS);
  await net.restart(bert);
  await net.advance(MINUTE_MS);
  t.true((await preferred()).includes(bert.id));
  t.true(bert.connections().some(({ peer, kind }) => peer.nodeId === anna.id && kind === 'mesh'));
});
