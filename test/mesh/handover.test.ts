import test from 'ava';
import { readNodeId } from '../../kernel/index.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { HANDOVER_SHARE } from '../../plugins/mesh/slots/slot-transfer.ts';
import { slotHandover } from '../../plugins/mesh/messages.ts';
import { meshCounters, meshNet } from './mesh-net.ts';

const MAX_MESH = 4;
const meshOf = (node: TestNode) =>
  node
    .connections()
    .filter(({ kind }) => kind === 'mesh')
    .map(({ peer }) => peer.nodeId);

/** Five full nodes, each connected to the four others, none remembered but the first by all. */
async function full(t: ExecutionContext) {
  const net = meshNet(t);
  const all: TestNode[] = [];
  for (let n = 0; n < MAX_MESH + 1; n++) {
    const node = await net.add({ name: `n${n}` });
    await node.configure('mesh', { maxMesh: MAX_MESH });
    if (all[0] !== undefined) await node.run('peer.connect', { target: all[0].connectString });
    all.push(node);
  }
  await net.advance(130_000);
  for (const node of all) t.is(meshOf(node).length, MAX_MESH);
  const newcomer = async (name: string) => {
    const node = await net.add({ name });
    await node.configure('mesh', { maxMesh: MAX_MESH });
    await node.run('peer.connect', { target: (all[1] as TestNode).connectString });
    // The first to refuse were not asked to make room: the growth timer asks again.
    await net.advance(65_000);
    return node;
  };
  return { net, all, newcomer };
}

test('two full peers give up the connection between them, and each takes the newcomer', async (t) => {
  const { all, newcomer } = await full(t);
  const last = await newcomer('last');
  t.true(meshOf(last).length >= 2);
  for (const node of all) t.is(meshOf(node).length, MAX_MESH, node.name);
  // A pair that is no longer connected, for each two slots of the newcomer.
  const apart = all.flatMap((a) => all.filter((b) => a !== b && !meshOf(a).includes(b.id))).length;
  t.is(apart, meshOf(last).length);
});

test('no more slots change hands than half of them, whatever number of newcomers comes', async (t) => {
  const { all, newcomer } = await full(t);
  for (let n = 0; n < 4; n++) await newcomer(`late${n}`);
  for (const node of all) {
    const { 'handovers-made': made = 0, 'handovers-agreed': agreed = 0 } = meshCounters(node);
    t.true(made + agreed <= Math.ceil(MAX_MESH * HANDOVER_SHARE), node.name);
    t.true(meshOf(node).length <= MAX_MESH);
  }
});

test('a peer that is remembered, or a node that needs its slots, gives none up', async (t) => {
  const { net, all } = await full(t);
  const [hub, one, two, three, four] = all as [TestNode, TestNode, TestNode, TestNode, TestNode];
  const ask = (from: TestNode, to: TestNode) =>
    net.wait(
      from.kernel.network.sendTo(to.id, slotHandover, {
        newcomer: readNodeId('c'.repeat(64)),
        addresses: ['8.8.8.8:53'],
      }),
    ) as Promise<{ agreed: boolean }>;
  t.deepEqual(await ask(hub, one), { agreed: false });
  // One that does not grow would lose the slot and dial nobody.
  await three.configure('mesh', { maxMesh: MAX_MESH, growth: false });
  t.deepEqual(await ask(four, three), { agreed: false });
  await three.configure('mesh', { maxMesh: MAX_MESH, growth: true });
  t.deepEqual(await ask(four, three), { agreed: true });
  await two.configure('mesh', { maxMesh: 20 });
  t.deepEqual(await ask(one, two), { agreed: false });
  t.is(meshOf(two).length, MAX_MESH);
});
