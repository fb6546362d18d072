import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { TraceRecord } from '../../kernel/wire/trace.ts';
import { TestNetwork, type TestNode } from '../../kernel/testing/index.ts';
import { explain, kinds } from './world.ts';
import { CORE } from '../mesh/mesh-net.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Slots {
  held: number;
  limit: number;
  connections: Record<string, string[]>;
}
const slotsOf = (node: TestNode) => node.run<Slots>('mesh.slots');
const layerOf = async (node: TestNode, other: TestNode) =>
  (await node.run<{ layer: string }>('peer.reach', { node_id: other.id })).layer;
const n2Of = (node: TestNode) => (node.inspect('routing').diagnostics.knowledge as { n2: number }).n2;

/**
 * Two halves of a network with nothing but a friendship between them: anna, with mike, follows bert, whose
 * preferred peer is dora, whose mesh is full with bert and yves. Anna has met dora, and cannot reach bert.
 */
async function twoHalves(t: ExecutionContext) {
  // No growth, so that only the session can join the halves.
  const config = { mesh: { growth: false } };
  const net = new TestNetwork({ t, builtin: [...CORE, 'social', 'presence', 'keep-alive'], config });
  const [anna, mike, bert, dora, yves] = await net.start('anna', 'mike', 'bert', 'dora', 'yves');
  await dora.run('peer.connect', { target: bert.connectString });
  await net.advance(75 * MINUTE_MS);
  t.like(await dora.run('mesh.slots'), { preferred: [bert.id] });
  await dora.run('peer.connect', { target: yves.connectString });
  await anna.run('peer.connect', { target: mike.connectString });
  await anna.run('follow.add', { target: bert.connectString });
  await dora.configure('mesh', { growth: false, maxMesh: 2 });
  await net.wait(anna.kernel.network.dial({ nodeId: dora.id, addresses: [dora.address] }));
  await net.advance(20 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), []);
  for (const [from, to] of [
    [anna, bert],
    [bert, anna],
  ] as const) {
    net.memory.setLink(from.host, to.host, { dialFailure: 1 });
    net.memory.breakConnections(from.host, to.host);
  }
  await net.advance(5_000);
  return { net, anna, mike, bert, dora, yves };
}

test('a keep-alive session takes part in routing, gets diffs and heartbeats, takes no slot and is never reaped (KEEP-05)', async (t) => {
  const { net, anna, mike, bert, dora, yves } = await twoHalves(t);
  t.like(await slotsOf(anna), { held: 1, connections: { mesh: [mike.id] } });
  await net.advance(6 * MINUTE_MS);
  t.like(await explain(anna), { sessions: 1, contacts: [{ node_id: bert.id, host: dora.id }] });
  t.deepEqual([kinds(anna, dora), kinds(dora, anna)], [['keep-alive'], ['keep-alive']]);

  // It is over and above the slots, of a full mesh as well.
  t.like(await slotsOf(anna), { held: 1, connections: { mesh: [mike.id], 'keep-alive': [dora.id] } });
  t.like(await slotsOf(dora), { held: 2, limit: 2, connections: { 'keep-alive': [anna.id] } });

  // It carries both sides' lists like a connection of the mesh.
  await net.advance(3 * MINUTE_MS);
  t.deepEqual([await layerOf(anna, yves), await layerOf(dora, mike)], ['n2', 'n2']);

  const frames: TraceRecord[] = [];
  t.teardown(anna.kernel.trace.subscribe((records) => void frames.push(...records)));
  const [zoe] = await net.start('zoe');
  await zoe.run('peer.connect', { target: bert.connectString });
  await net.advance(20 * MINUTE_MS);
  t.is(await layerOf(anna, zoe), 'n3');
  const seen = (code: string, direction: string): number =>
    frames.filter((frame) => frame.peer === dora.id && frame.code === code && frame.direction === direction).length;
  for (const direction of ['in', 'out']) {
    t.true(seen('0x01', direction) >= 9, `${seen('0x01', direction)} diffs ${direction}`);
    t.true(seen('0xE0', direction) >= 38, `${seen('0xE0', direction)} heartbeats ${direction}`);
  }

  const [before] = anna.connections(dora);
  await net.advance(3 * HOUR_MS);
  t.deepEqual(
    anna.connections(dora).map(({ id, kind }) => [id, kind]),
    [[before?.id, 'keep-alive']],
  );
  t.like(await slotsOf(dora), { held: 2, limit: 2 });
});

test('a keep-alive session widens what lies within three hops, for the whole neighbourhood (LAY-03)', async (t) => {
  const { net, anna, mike, bert, dora, yves } = await twoHalves(t);
  await net.advance(MINUTE_MS);
  // With one neighbour alone she does not name her contact yet.
  t.deepEqual([n2Of(anna), n2Of(mike)], [0, 0]);
  for (const far of [dora, yves]) t.is(await layerOf(mike, far), 'none');
  await net.advance(10 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), ['keep-alive']);
  t.deepEqual([n2Of(anna), n2Of(mike)], [2, 2]);
  for (const [node, far, layer] of [
    [anna, bert, 'n2'],
    [anna, yves, 'n2'],
    [mike, dora, 'n2'],
    [mike, yves, 'n3'],
  ] as const) {
    t.is(await layerOf(node, far), layer, `${far.name} from ${node.name}`);
  }
  await anna.run('follow.remove', { node_id: bert.id });
  await net.advance(5 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), ['session']);
  // An idle session ends as any other, and what came by it goes.
  await net.advance(20 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), []);
  t.deepEqual([n2Of(anna), n2Of(mike)], [0, 0]);
});
