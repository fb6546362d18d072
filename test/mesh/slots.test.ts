import test from 'ava';
import { readNodeId } from '../../kernel/index.ts';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { filter } from 'rxjs';
import { meshCounters, meshNet, reloadMesh } from './mesh-net.ts';

interface SlotsView {
  held: number;
  limit: number;
  preferred: string[];
  connections: Record<string, string[]>;
}
const slotsOf = (node: TestNode) => node.run<SlotsView>('mesh.slots');
const limit = (node: TestNode, config: Record<string, unknown>) => node.configure('mesh', config);

async function nodes(net: TestNetwork, count: number, config?: Record<string, unknown>): Promise<TestNode[]> {
  const all: TestNode[] = [];
  for (let n = 0; n < count; n++) {
    const node = await net.add({ name: `n${n}` });
    if (config !== undefined) await limit(node, config);
    all.push(node);
  }
  return all;
}

/** Everybody but the first connects to the first. */
async function star(all: readonly TestNode[]): Promise<void> {
  const [hub, ...others] = all as [TestNode, ...TestNode[]];
  for (const node of others) await node.run('peer.connect', { target: hub.connectString });
}

test('a full node refuses a slot and names a live peer, which is tried', async (t) => {
  const net = meshNet(t);
  const [hub, first, last] = (await nodes(net, 3)) as [TestNode, TestNode, TestNode];
  await limit(hub, { maxMesh: 1 });
  await first.run('peer.connect', { target: hub.connectString });
  await last.run('peer.connect', { target: hub.connectString });
  await net.advance(3_000);
  t.is(meshCounters(hub)['redirects-sent'], 1);
  t.is(meshCounters(last)['redirects-received'], 1);
  t.is(meshCounters(last)['growth-tries.redirect'], 1);
  t.deepEqual((await slotsOf(last)).connections, { mesh: [first.id], session: [hub.id] });
  t.deepEqual((await slotsOf(hub)).connections, { mesh: [first.id], session: [last.id] });
});

test('redirects in a circle of full nodes end after one visit each, and leave no connection', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 3, { maxMesh: 2 });
  await star(all);
  // Remembered peers do not give each other up for a newcomer.
  await (all[1] as TestNode).run('peer.connect', { target: (all[2] as TestNode).connectString });
  await net.advance(5_000);
  for (const node of all) t.is((await slotsOf(node)).held, 2);
  const last = await net.add({ name: 'last' });
  const before = net.dials.length;
  await last.run('peer.connect', { target: (all[0] as TestNode).connectString });
  await net.advance(50_000);
  t.true(net.dials.length - before <= 3);
  t.deepEqual((await slotsOf(last)).connections, { session: [(all[0] as TestNode).id] });
});

test('a redirect nobody waits for is counted and not followed', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = (await nodes(net, 2)) as [TestNode, TestNode];
  await anna.run('peer.connect', { target: bert.connectString });
  const { refuseRedirect } = await import('../../plugins/mesh/messages.ts');
  const body = { alternative: readNodeId('c'.repeat(64)), addresses: ['8.8.8.8:53'] };
  const before = net.dials.length;
  for (let n = 0; n < 5; n++) await net.wait(anna.kernel.network.sendTo(bert.id, refuseRedirect, body));
  await net.wait(bert.kernel.network.sendTo(anna.id, refuseRedirect, body));
  // Whoever dialled asked for a slot and may be redirected once; it knows better than to ask a stranger's host.
  await net.wait(bert.kernel.network.sendTo(anna.id, refuseRedirect, body));
  await net.advance(60_000);
  t.is(meshCounters(bert)['redirects-unasked'], 5);
  t.is(meshCounters(anna)['redirects-unasked'], 2);
  t.is(net.dials.length, before);
});

test('nodes that know one node find the others, and nobody is ever above its slots', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 8, { maxMesh: 5 });
  for (const node of all.slice(1)) {
    await node.run('peer.connect', { target: (all[0] as TestNode).connectString });
    for (let step = 0; step < 20; step++) {
      await net.advance(25);
      for (const { id, live } of all.map((one) => ({ id: one.id, live: one.connections() }))) {
        t.true(live.filter(({ kind }) => kind === 'mesh').length <= 5, id);
      }
    }
  }
  await net.advance(130_000);
  const held: number[] = [];
  for (const node of all) held.push((await slotsOf(node)).held);
  t.true(Math.min(...held) >= 1);
  // Who comes last may find only full ones; the others take what there is.
  t.true(held.reduce((sum, count) => sum + count) >= 0.8 * 8 * 5, held.join());
});

test('growth goes on through swaps of every node, and knowledge outlives them', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 6);
  await star(all);
  for (const node of all) t.is((await reloadMesh(node)).outcome, 'committed');
  await net.advance(65_000);
  for (const node of all) t.is((await slotsOf(node)).held, 5, node.name);
  const [first, , third] = all as [TestNode, TestNode, TestNode];
  const reach = () => first.run<{ layer: string; n2_reporters: string[] }>('peer.reach', { node_id: third.id });
  const before = await reach();
  t.is(before.n2_reporters.length, 4);
  t.is((await reloadMesh(first)).outcome, 'committed');
  t.deepEqual(await reach(), before);
  t.is((await slotsOf(first)).held, 5);
});

test('who is on the blacklist gets no slot from either side, and sessions work', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 4);
  const [, anna, bert] = all as [TestNode, TestNode, TestNode];
  await anna.run('mesh.blacklist-add', { node_id: bert.id });
  await star(all);
  await net.advance(700_000);
  t.false((await slotsOf(anna)).connections.mesh?.includes(bert.id));
  t.false((await slotsOf(bert)).connections.mesh?.includes(anna.id));
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual((await slotsOf(anna)).connections.session, [bert.id]);
  t.deepEqual(await anna.run('mesh.blacklist'), { nodes: [bert.id] });
  await (await net.restart(anna)).run('mesh.blacklist-remove', { node_id: bert.id });
});

test('a lowered limit closes what is over it', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 5);
  await star(all);
  await limit(all[0] as TestNode, { maxMesh: 2 });
  t.is((await slotsOf(all[0] as TestNode)).held, 2);
});

test('an emptied mesh is told once, when the last slot is free', async (t) => {
  const net = meshNet(t);
  const all = await nodes(net, 3);
  const [anna, bert, carl] = all as [TestNode, TestNode, TestNode];
  await star(all);
  await net.advance(5_000);
  let emptied = 0;
  const listening = anna.kernel.bus
    .all()
    .pipe(filter(({ topic }) => topic === 'mesh/emptied'))
    .subscribe(() => emptied++);
  await bert.stop();
  await net.advance(1_000);
  t.is(emptied, 0);
  await carl.stop();
  await net.advance(1_000);
  t.is(emptied, 1);
  listening.unsubscribe();
});

test('growth that met dead candidates alone goes on with the next list, though that has no news', async (t) => {
  const net = meshNet(t);
  const [hub, live, ...dead] = (await nodes(net, 10, { growth: false })) as [TestNode, TestNode, ...TestNode[]];
  await star([hub, live, ...dead]);
  // Who is in N3 as well is tried after the others.
  await live.run('peer.connect', { target: (dead[0] as TestNode).connectString });
  await net.advance(130_000);
  const newcomer = await net.add({ name: 'newcomer' });
  for (const { host } of dead) net.memory.setLink(newcomer.host, host, { dialFailure: 1 });
  await newcomer.run('peer.connect', { target: hub.connectString });
  await net.advance(20_000);
  t.is(meshCounters(newcomer)['growth-outcomes.unreachable'], 3);
  t.is((await slotsOf(newcomer)).held, 1);
  // Three diffs of the hub; the rebalance after ten minutes would begin again in any case.
  await net.advance(400_000);
  t.deepEqual((await slotsOf(newcomer)).connections, { mesh: [hub.id, live.id] });
});
