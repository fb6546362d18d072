import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { anchorNet } from '../anchors/anchor-net.ts';
import { FakeNet } from './fake-net.ts';
import type { FakeNode } from './fake-net.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When events of a topic came, on the net's clock, from now on. */
function timesOf(t: ExecutionContext, node: FakeNode, topic: string, matches = (_event: unknown): boolean => true) {
  const times: number[] = [];
  const listening = node.node.bus.all().subscribe((entry) => {
    if (entry.topic === topic && matches(entry.event)) times.push(node.net.clock.now());
  });
  t.teardown(() => listening.unsubscribe());
  return times;
}

/** When frames of a name came in from a peer. */
function framesOf(t: ExecutionContext, node: FakeNode, name: string, from: FakeNode) {
  const times: number[] = [];
  const stop = node.node.trace.subscribe((records) => {
    for (const record of records) {
      const isOurs = record.direction === 'in' && record.name === name && record.peer === from.id;
      if (isOurs) times.push(node.net.clock.now());
    }
  });
  t.teardown(stop);
  return times;
}

const spacings = (times: readonly number[]): number[] =>
  times.slice(1).map((atMs, index) => atMs - (times[index] as number));

test('a rebalance runs every ten minutes, and once more when a person asks (CYC-03)', async (t) => {
  const net = new FakeNet(t);
  const anna = await net.node('anna');
  const byTimer = timesOf(t, anna, 'mesh/rebalanced', (event) => (event as { cause: string }).cause === 'timer');
  const byHand = timesOf(t, anna, 'mesh/rebalanced', (event) => (event as { cause: string }).cause === 'command');
  await net.clock.advance(35 * MINUTE_MS);
  await anna.run('rebalance.now');
  await net.clock.advance(30 * MINUTE_MS);
  t.is(byTimer.length, 6);
  t.deepEqual([...new Set(spacings(byTimer))], [600_000]);
  t.is(byHand.length, 1);
});

test('lists are told every two minutes, and at once when the mesh changes (CYC-02)', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert, carl] = [await net.node('anna'), await net.node('bert'), await net.node('carl')];
  await anna.run('peer.connect', { target: bert.connectString });
  await net.clock.advance(5 * MINUTE_MS);
  const told = framesOf(t, anna, 'NodeListUpdate', bert);
  await net.clock.advance(20 * MINUTE_MS);
  t.true(told.length >= 9 && told.length <= 11, `${told.length} in 20 minutes`);
  t.true(Math.max(...spacings(told)) <= 130_000);
  const before = told.length;
  await carl.run('peer.connect', { target: bert.connectString });
  await net.clock.advance(200);
  t.is(told.length, before + 1);
});

test('in more than a day an anchor is asked once at the start, once a recovery and never besides (CYC-08)', async (t) => {
  const net = anchorNet(t);
  const config = { mesh: { keepAliveMs: 300_000, growth: false, redialBaseMs: 60_000 } };
  const anchor = await net.anchorNode('anchor', { config });
  await anchor.run('anchor.declare', { state: 'on' });
  const node = await net.anchorNode('node', { config, anchors: [anchor.connectString] });
  const registered = framesOf(t, anchor, 'AnchorRegister', node);
  await net.clock.advance(4 * HOUR_MS);
  const atStart = registered.length;
  net.network.breakConnections(anchor.host, node.host);
  await net.clock.advance(22 * HOUR_MS);
  const { rejoins } = await node.run<{ rejoins: { cause: string }[] }>('anchor.explain');
  t.deepEqual(
    rejoins.map(({ cause }) => cause),
    ['bootstrap', 'recovery'],
  );
  t.true(atStart <= 1);
  t.is(registered.length, atStart + 1);
});

test('below nine tenths of its slots a node dials within 100 ms of a list, above only by the timer (CONN-01)', async (t) => {
  const net = new FakeNet(t);
  const hub = await net.node('hub');
  const anna = await net.node('anna');
  await anna.run('peer.connect', { target: hub.connectString });
  await net.clock.advance(5 * MINUTE_MS);
  const lists = framesOf(t, anna, 'NodeListUpdate', hub);
  const newcomer = async (name: string): Promise<number[]> => {
    const node = await net.node(name);
    await net.clock.until(node.node.host.configure('mesh', { growth: false }));
    const dialled = net.dials.length;
    const told = lists.length;
    await node.run('peer.connect', { target: hub.connectString });
    await net.clock.advance(200);
    t.is(lists.length, told + 1);
    return net.dials
      .slice(dialled)
      .filter(({ from, to }) => from === anna.id && to === node.host)
      .map(({ atMs }) => atMs - (lists.at(-1) as number));
  };
  const [latency] = await newcomer('first');
  t.true(latency !== undefined && latency <= 100, `${latency} ms`);
  // Two of two: what comes above the limit of growth waits for a slot.
  await net.clock.advance(MINUTE_MS);
  await net.clock.until(anna.node.host.configure('mesh', { maxMesh: 2 }));
  await net.clock.advance(MINUTE_MS);
  t.deepEqual(await newcomer('second'), []);
});

test('the timer of growth fills what lists leave open (CYC-04)', async (t) => {
  const net = new FakeNet(t);
  const nodes: FakeNode[] = [];
  for (let n = 0; n < 12; n++) {
    const node = await net.node(`n${n}`);
    await net.clock.until(node.node.host.configure('mesh', { maxMesh: n === 1 ? 10 : 20, growth: n === 1 }));
    nodes.push(node);
  }
  const [hub, anna] = nodes as [FakeNode, FakeNode];
  for (const node of nodes.slice(1)) await node.run('peer.connect', { target: hub.connectString });
  await net.clock.advance(3 * MINUTE_MS);
  const held = async () => (await anna.run<{ held: number }>('mesh.slots')).held;
  t.is(await held(), 10);
  // One goes: nine of ten are enough for lists, the tenth comes with the timer.
  const slots = timesOf(t, anna, 'mesh/slot-changed', (event) => (event as { slot: string }).slot !== 'none');
  const lost = nodes.find(({ id }) => id !== hub.id && anna.live().some(({ peer }) => peer.nodeId === id)) as FakeNode;
  await lost.stop();
  const leftAtMs = net.clock.now();
  await net.clock.advance(90_000);
  t.is(await held(), 10);
  const waited = (slots[0] as number) - leftAtMs;
  t.true(waited > 0 && waited <= 67_000, `${waited} ms`);
});

test('two who keep apart never share a slot, and sessions between them work (MESH-08)', async (t) => {
  const net = new FakeNet(t);
  const nodes: FakeNode[] = [];
  for (const name of ['hub', 'anna', 'bert', 'carl']) {
    const node = await net.node(name);
    await net.clock.until(node.node.host.configure('peers', { keepAliveMs: 300_000 }));
    nodes.push(node);
  }
  const [hub, anna, bert] = nodes as [FakeNode, FakeNode, FakeNode];
  await anna.run('mesh.blacklist-add', { node_id: bert.id });
  await bert.run('mesh.blacklist-add', { node_id: anna.id });
  const together = (one: FakeNode, other: NodeId) =>
    timesOf(t, one, 'mesh/slot-changed', (event) => {
      const { peer, slot } = event as { peer: { nodeId: string }; slot: string };
      return peer.nodeId === other && slot !== 'none';
    });
  const times = [together(anna, bert.id), together(bert, anna.id)];
  for (const node of nodes.slice(1)) await node.run('peer.connect', { target: hub.connectString });
  await net.clock.advance(2 * HOUR_MS);
  t.deepEqual(times, [[], []]);
  t.is((await anna.run<{ held: number }>('mesh.slots')).held, 2);
  t.is((await anna.run<{ layer: string }>('peer.reach', { node_id: bert.id })).layer, 'n2', 'N2 strangers');
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual(
    anna.node.network.connectionsOf(bert.id).map(({ kind }) => kind),
    ['session'],
  );
});

test('a preferred peer that is away is searched for in the first hour, and welcome whenever it comes', async (t) => {
  const net = new FakeNet(t);
  const plugins = ['peers', 'routing', 'lookup', 'mesh', 'social', 'worm-search'].map((name) =>
    fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
  );
  const [anna, bert, carl] = [
    await net.node('anna', { plugins }),
    await net.node('bert', { plugins }),
    await net.node('carl', { plugins }),
  ];
  // He remembers them: that anna looks for him has no other reason than the agreement.
  for (const node of [anna, carl]) await bert.run('peer.connect', { target: node.connectString });
  await net.clock.advance(130 * MINUTE_MS);
  const preferred = async () => (await anna.run<{ preferred: string[] }>('mesh.slots')).preferred;
  t.true((await preferred()).includes(bert.id));
  await bert.stop();
  const searches: number[] = [];
  const stop = anna.node.trace.subscribe((records) => {
    for (const { name, direction } of records)
      if (name === 'WormQuery' && direction === 'out') searches.push(net.clock.now());
  });
  t.teardown(stop);
  const leftAtMs = net.clock.now();
  await net.clock.advance(6 * HOUR_MS);
  t.true(searches.length > 0);
  t.true(Math.max(...searches) <= leftAtMs + 70 * MINUTE_MS);
  const back = await net.node('bert', { dataDir: bert.dataDir, host: bert.host, plugins });
  await net.clock.advance(MINUTE_MS);
  t.true((await preferred()).includes(bert.id));
  t.true(back.live().some(({ peer, kind }) => peer.nodeId === anna.id && kind === 'mesh'));
});
