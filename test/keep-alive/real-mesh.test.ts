import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { TraceRecord } from '../../kernel/wire/trace.ts';
import { FakeNet, PLUGINS } from '../mesh/fake-net.ts';
import type { FakeNode } from '../mesh/fake-net.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { explain, KEEP_ALIVE_FOLDER, kinds } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Slots {
  held: number;
  limit: number;
  connections: Record<string, string[]>;
}
const slotsOf = (node: FakeNode) => node.run<Slots>('mesh.slots');
const layerOf = async (node: FakeNode, other: FakeNode) =>
  (await node.run<{ layer: string }>('peer.reach', { node_id: other.id })).layer;
const n2Of = (node: FakeNode) => (node.node.host.diagnostics('mesh').knowledge as { n2: number }).n2;

/**
 * Two halves of a network with nothing but a friendship between them: anna, with mike, follows bert, whose
 * preferred peer is dora, whose mesh is full with bert and yves. Anna has met dora, and cannot reach bert.
 */
async function twoHalves(t: ExecutionContext) {
  const net = new FakeNet(t);
  const start = (name: string): Promise<FakeNode> => {
    const dataDir = temporaryDirectory(t);
    // No growth, so that only the session can join the halves.
    const config = { node: { treatAsPublic: ['192.0.2.0/24'] }, plugins: { mesh: { config: { growth: false } } } };
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify(config));
    return net.node(name, { dataDir, plugins: [...PLUGINS, KEEP_ALIVE_FOLDER] });
  };
  const [anna, mike, bert, dora, yves] = [
    await start('anna'),
    await start('mike'),
    await start('bert'),
    await start('dora'),
    await start('yves'),
  ];
  await dora.run('peer.connect', { target: bert.connectString });
  await net.clock.advance(75 * MINUTE_MS);
  t.like(await dora.run('mesh.slots'), { preferred: [bert.id] });
  await dora.run('peer.connect', { target: yves.connectString });
  await anna.run('peer.connect', { target: mike.connectString });
  await anna.run('follow.add', { target: bert.connectString });
  await net.clock.until(dora.node.host.configure('mesh', { growth: false, maxMesh: 2 }));
  await net.clock.until(anna.node.network.dial({ nodeId: dora.id, addresses: [dora.address] }));
  await net.clock.advance(20 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), []);
  for (const [from, to] of [
    [anna, bert],
    [bert, anna],
  ] as const) {
    net.network.setLink(from.host, to.host, { dialFailure: 1 });
    net.network.breakConnections(from.host, to.host);
  }
  await net.clock.advance(5_000);
  return { net, start, anna, mike, bert, dora, yves };
}

test('a keep-alive session takes part in routing, gets diffs and heartbeats, takes no slot and is never reaped (KEEP-05)', async (t) => {
  const { net, start, anna, mike, bert, dora, yves } = await twoHalves(t);
  t.like(await slotsOf(anna), { held: 1, connections: { mesh: [mike.id] } });
  await net.clock.advance(6 * MINUTE_MS);
  t.like(await explain(anna), { sessions: 1, contacts: [{ node_id: bert.id, host: dora.id }] });
  t.deepEqual([kinds(anna, dora), kinds(dora, anna)], [['keep-alive'], ['keep-alive']]);

  // It is over and above the slots, of a full mesh as well.
  t.like(await slotsOf(anna), { held: 1, connections: { mesh: [mike.id], 'keep-alive': [dora.id] } });
  t.like(await slotsOf(dora), { held: 2, limit: 2, connections: { 'keep-alive': [anna.id] } });

  // It carries both sides' lists like a connection of the mesh.
  await net.clock.advance(3 * MINUTE_MS);
  t.deepEqual([await layerOf(anna, yves), await layerOf(dora, mike)], ['n2', 'n2']);

  const frames: TraceRecord[] = [];
  t.teardown(anna.node.trace.subscribe((records) => void frames.push(...records)));
  const zoe = await start('zoe');
  await zoe.run('peer.connect', { target: bert.connectString });
  await net.clock.advance(20 * MINUTE_MS);
  t.is(await layerOf(anna, zoe), 'n3');
  const seen = (code: string, direction: string): number =>
    frames.filter((frame) => frame.peer === dora.id && frame.code === code && frame.direction === direction).length;
  for (const direction of ['in', 'out']) {
    t.true(seen('0x01', direction) >= 9, `${seen('0x01', direction)} diffs ${direction}`);
    t.true(seen('0xE0', direction) >= 38, `${seen('0xE0', direction)} heartbeats ${direction}`);
  }

  const [before] = anna.node.network.connectionsOf(dora.id);
  await net.clock.advance(3 * HOUR_MS);
  t.deepEqual(
    anna.node.network.connectionsOf(dora.id).map(({ id, kind }) => [id, kind]),
    [[before?.id, 'keep-alive']],
  );
  t.like(await slotsOf(dora), { held: 2, limit: 2 });
});

test('a keep-alive session widens what lies within three hops, for the whole neighbourhood (LAY-03)', async (t) => {
  const { net, anna, mike, bert, dora, yves } = await twoHalves(t);
  await net.clock.advance(MINUTE_MS);
  // With one neighbour alone she does not name her contact yet.
  t.deepEqual([n2Of(anna), n2Of(mike)], [0, 0]);
  for (const far of [dora, yves]) t.is(await layerOf(mike, far), 'none');
  await net.clock.advance(10 * MINUTE_MS);
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
  await net.clock.advance(5 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), ['session']);
  // An idle session ends as any other, and what came by it goes.
  await net.clock.advance(20 * MINUTE_MS);
  t.deepEqual(kinds(anna, dora), []);
  t.deepEqual([n2Of(anna), n2Of(mike)], [0, 0]);
});
