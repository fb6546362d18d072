import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { ConnectionKind } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { addressRequest } from '../../plugins/lookup/messages.ts';
import { CORE, meshCounters, meshNet, reloadMesh } from './mesh-net.ts';

const MINUTE_MS = 60_000;

interface SlotsView {
  held: number;
  limit: number;
  preferred: string[];
  connections: Record<string, string[]>;
}
const FINDER = new URL('./finder', import.meta.url);
const kindsBetween = (one: TestNode, other: TestNode): string[] =>
  [one.connections(other), other.connections(one)].flat().map(({ kind }) => kind);
const slotsOf = (node: TestNode) => node.run<SlotsView>('mesh.slots');

async function nodes(net: TestNetwork, count: number, config: Record<string, unknown>): Promise<TestNode[]> {
  const all: TestNode[] = [];
  for (let n = 0; n < count; n++) {
    const node = await net.add({ builtin: CORE });
    await node.configure('mesh', config);
    all.push(node);
  }
  return all;
}

/** a - b - c, where the connection of a and b is of a kind that both ends gave it. */
async function chain(t: ExecutionContext, kind: ConnectionKind) {
  const net = meshNet(t);
  const [a, b, c] = (await nodes(net, 3, { growth: false })) as [TestNode, TestNode, TestNode];
  // Its only slot is for c.
  await b.configure('mesh', { growth: false, maxMesh: 1 });
  await b.run('peer.connect', { target: c.connectString });
  await a.run('peer.connect', { target: b.connectString });
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const { id } of from.connections(to)) from.kernel.network.setKind(id, kind);
  }
  // What the first exchange told is over, so that only what comes from now on counts.
  for (const node of [a, b]) await reloadMesh(node);
  await net.advance(15 * MINUTE_MS);
  return { net, a, b, c };
}

const layerOf = async (from: TestNode, to: TestNode) =>
  (await from.run<{ layer: string }>('peer.reach', { node_id: to.id })).layer;

test('a keep-alive session widens what is in sight, as a mesh connection does (LAY-03, KEEP-05)', async (t) => {
  const { net, a, b, c } = await chain(t, 'keep-alive');
  const d = (await nodes(net, 1, { growth: false }))[0] as TestNode;
  await c.run('peer.connect', { target: d.connectString });
  const whole = meshCounters(b)['lists-sent.diff'] ?? 0;
  await net.advance(5 * MINUTE_MS);
  t.deepEqual([await layerOf(a, c), await layerOf(a, d)], ['n2', 'n3']);
  t.true((meshCounters(b)['lists-sent.diff'] ?? 0) > whole);
  t.deepEqual(await slotsOf(a).then(({ held, connections }) => [held, connections]), [0, { 'keep-alive': [b.id] }]);
  await net.advance(30 * MINUTE_MS);
  t.deepEqual((await slotsOf(a)).connections, { 'keep-alive': [b.id] }, 'it is not reaped for being idle');
});

test('an interactive session widens nothing', async (t) => {
  const { net, a, c } = await chain(t, 'session');
  const d = (await nodes(net, 1, { growth: false }))[0] as TestNode;
  await c.run('peer.connect', { target: d.connectString });
  await net.advance(5 * MINUTE_MS);
  t.is(await layerOf(a, d), 'none');
});

test('a phone holds fifteen slots, three of them preferred (MESH-02)', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 18, { profile: 'mobile' });
  const [hub, ...others] = all as [TestNode, ...TestNode[]];
  let most = 0;
  const look = (): void => {
    for (const node of all) most = Math.max(most, node.connections().filter(({ kind }) => kind === 'mesh').length);
  };
  for (const node of others) {
    await node.run('peer.connect', { target: hub.connectString });
    look();
  }
  for (let minute = 0; minute < 85; minute++) {
    await net.advance(MINUTE_MS);
    look();
  }
  t.is(most, 15);
  for (const node of all) {
    const { held, limit, preferred } = await slotsOf(node);
    t.is(limit, 15);
    t.true(held >= 13, `${node.name} holds ${held}`);
    t.true(preferred.length <= 3);
  }
  t.is((await slotsOf(hub)).preferred.length, 3);
});

test('who is dialled for one request is asked for no slot, though both have room (MESH-07)', async (t) => {
  const net = meshNet(t);
  const [anna, bert, carl] = (await nodes(net, 3, { growth: false })) as [TestNode, TestNode, TestNode];
  await anna.add(FINDER);
  await anna.run('finder.visit', { node_id: bert.id, address: bert.address });
  await net.advance(1_000);
  t.deepEqual(kindsBetween(anna, bert), ['session', 'session']);
  await net.advance(6 * MINUTE_MS);
  t.deepEqual(kindsBetween(anna, bert), ['session', 'session']);
  await anna.run('peer.connect', { target: carl.connectString });
  t.deepEqual(kindsBetween(anna, carl), ['mesh', 'mesh']);
});

test('two hundred requests at once of twenty who come and go take no slot and leave no session (MESH-07)', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 3, {});
  const [hub, ...members] = all as [TestNode, TestNode, TestNode];
  await hub.configure('mesh', { maxMesh: 2 });
  for (const node of members) await node.run('peer.connect', { target: hub.connectString });
  await net.advance(MINUTE_MS);
  const before = (await slotsOf(hub)).connections;
  t.deepEqual(before.mesh?.length, 2);
  const visitors = await nodes(net, 20, { growth: false });
  const changes: unknown[] = [];
  const listening = hub.kernel.bus.all().subscribe(({ topic, event }) => {
    if (topic === 'mesh/slot-changed') changes.push(event);
  });
  t.teardown(() => listening.unsubscribe());
  const visit = async ({ kernel }: TestNode): Promise<number> => {
    const { signal } = new AbortController();
    const { id } = await kernel.network.dial({ nodeId: hub.id, addresses: [hub.address] }, { signal });
    const question = { target: hub.id, hops: 0 as const };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => kernel.network.sendTo(hub.id, addressRequest, question).catch(() => undefined)),
    );
    kernel.network.close(id, 'done');
    return answers.length;
  };
  const made = await net.wait(Promise.all(visitors.map(visit)));
  await net.advance(1_000);
  t.is(
    made.reduce((sum, count) => sum + count),
    200,
  );
  t.deepEqual(changes, []);
  t.deepEqual((await slotsOf(hub)).connections, before);
});
