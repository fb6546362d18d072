import test from 'ava';
import { filter } from 'rxjs';
import type { NodeId } from '../../kernel/index.ts';
import { FakeNet } from './fake-net.ts';
import type { FakeNode } from './fake-net.ts';

interface SlotsView {
  held: number;
  limit: number;
  preferred: string[];
  connections: Record<string, string[]>;
}
const slotsOf = (node: FakeNode) => node.run<SlotsView>('mesh.slots');
const limit = (node: FakeNode, config: Record<string, unknown>) =>
  node.net.clock.until(node.node.host.configure('mesh', config));

async function nodes(net: FakeNet, count: number, config?: Record<string, unknown>): Promise<FakeNode[]> {
  const all: FakeNode[] = [];
  for (let n = 0; n < count; n++) {
    const node = await net.node(`n${n}`);
    if (config !== undefined) await limit(node, config);
    all.push(node);
  }
  return all;
}

/** Everybody but the first connects to the first. */
async function star(all: readonly FakeNode[]): Promise<void> {
  const [hub, ...others] = all as [FakeNode, ...FakeNode[]];
  for (const node of others) await node.run('peer.connect', { target: hub.connectString });
}

test('a full node refuses a slot and names a live peer, which is tried', async (t) => {
  const net = new FakeNet(t);
  const [hub, first, last] = (await nodes(net, 3)) as [FakeNode, FakeNode, FakeNode];
  await limit(hub, { maxMesh: 1 });
  await first.run('peer.connect', { target: hub.connectString });
  await last.run('peer.connect', { target: hub.connectString });
  await net.clock.advance(3_000);
  t.is(hub.counters()['redirects-sent'], 1);
  t.is(last.counters()['redirects-received'], 1);
  t.is(last.counters()['growth-tries.redirect'], 1);
  t.deepEqual((await slotsOf(last)).connections, { mesh: [first.id], session: [hub.id] });
  t.deepEqual((await slotsOf(hub)).connections, { mesh: [first.id], session: [last.id] });
});

test('redirects in a circle of full nodes end after one visit each, and leave no connection', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 3, { maxMesh: 2 });
  await star(all);
  // Remembered peers do not give each other up for a newcomer.
  await (all[1] as FakeNode).run('peer.connect', { target: (all[2] as FakeNode).connectString });
  await net.clock.advance(5_000);
  for (const node of all) t.is((await slotsOf(node)).held, 2);
  const last = await net.node('last');
  const before = net.dials.length;
  await last.run('peer.connect', { target: (all[0] as FakeNode).connectString });
  await net.clock.advance(50_000);
  t.true(net.dials.length - before <= 3);
  t.deepEqual((await slotsOf(last)).connections, { session: [(all[0] as FakeNode).id] });
});

test('a redirect nobody waits for is counted and not followed', async (t) => {
  const net = new FakeNet(t);
  const [anna, bert] = (await nodes(net, 2)) as [FakeNode, FakeNode];
  await anna.run('peer.connect', { target: bert.connectString });
  const { refuseRedirect } = await import('../../plugins/mesh/messages.ts');
  const body = { alternative: 'c'.repeat(64) as NodeId, addresses: ['8.8.8.8:53'] };
  const before = net.dials.length;
  for (let n = 0; n < 5; n++) await net.clock.until(anna.node.network.sendTo(bert.id, refuseRedirect, body));
  await net.clock.until(bert.node.network.sendTo(anna.id, refuseRedirect, body));
  // Whoever dialled asked for a slot and may be redirected once; it knows better than to ask a stranger's host.
  await net.clock.until(bert.node.network.sendTo(anna.id, refuseRedirect, body));
  await net.clock.advance(60_000);
  t.is(bert.counters()['redirects-unasked'], 5);
  t.is(anna.counters()['redirects-unasked'], 2);
  t.is(net.dials.length, before);
});

test('nodes that know one node find the others, and nobody is ever above its slots', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 8, { maxMesh: 5 });
  for (const node of all.slice(1)) {
    await node.run('peer.connect', { target: (all[0] as FakeNode).connectString });
    for (let step = 0; step < 20; step++) {
      await net.clock.advance(25);
      for (const { id, live } of all.map((one) => ({ id: one.id, live: one.live() }))) {
        t.true(live.filter(({ kind }) => kind === 'mesh').length <= 5, id);
      }
    }
  }
  await net.clock.advance(130_000);
  const held: number[] = [];
  for (const node of all) held.push((await slotsOf(node)).held);
  t.true(Math.min(...held) >= 1);
  // Who comes last may find only full ones; the others take what there is.
  t.true(held.reduce((sum, count) => sum + count) >= 0.8 * 8 * 5, held.join());
});

test('growth goes on through swaps of every node, and knowledge outlives them', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 6);
  await star(all);
  for (const node of all) t.is((await node.reload()).outcome, 'committed');
  await net.clock.advance(65_000);
  for (const node of all) t.is((await slotsOf(node)).held, 5, node.name);
  const [first, , third] = all as [FakeNode, FakeNode, FakeNode];
  const reach = () => first.run<{ layer: string; n2_reporters: string[] }>('peer.reach', { node_id: third.id });
  const before = await reach();
  t.is(before.n2_reporters.length, 4);
  t.is((await first.reload()).outcome, 'committed');
  t.deepEqual(await reach(), before);
  t.is((await slotsOf(first)).held, 5);
});

test('who is on the blacklist gets no slot from either side, and sessions work', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 4);
  const [, anna, bert] = all as [FakeNode, FakeNode, FakeNode];
  await anna.run('mesh.blacklist-add', { node_id: bert.id });
  await star(all);
  await net.clock.advance(700_000);
  t.false((await slotsOf(anna)).connections.mesh?.includes(bert.id));
  t.false((await slotsOf(bert)).connections.mesh?.includes(anna.id));
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual((await slotsOf(anna)).connections.session, [bert.id]);
  t.deepEqual(await anna.run('mesh.blacklist'), { nodes: [bert.id] });
  await (await anna.restart()).run('mesh.blacklist-remove', { node_id: bert.id });
});

test('a lowered limit closes what is over it', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 5);
  await star(all);
  await limit(all[0] as FakeNode, { maxMesh: 2 });
  t.is((await slotsOf(all[0] as FakeNode)).held, 2);
});

test('an emptied mesh is told once, when the last slot is free', async (t) => {
  const net = new FakeNet(t);
  const all = await nodes(net, 3);
  const [anna, bert, carl] = all as [FakeNode, FakeNode, FakeNode];
  await star(all);
  await net.clock.advance(5_000);
  let emptied = 0;
  const listening = anna.node.bus
    .all()
    .pipe(filter(({ topic }) => topic === 'mesh/emptied'))
    .subscribe(() => emptied++);
  await bert.stop();
  await net.clock.advance(1_000);
  t.is(emptied, 0);
  await carl.stop();
  await net.clock.advance(1_000);
  t.is(emptied, 1);
  listening.unsubscribe();
});

test('growth that met dead candidates alone goes on with the next list, though that has no news', async (t) => {
  const net = new FakeNet(t);
  const [hub, live, ...dead] = (await nodes(net, 10, { growth: false })) as [FakeNode, FakeNode, ...FakeNode[]];
  await star([hub, live, ...dead]);
  // Who is in N3 as well is tried after the others.
  await live.run('peer.connect', { target: (dead[0] as FakeNode).connectString });
  await net.clock.advance(130_000);
  const newcomer = await net.node('newcomer');
  for (const { host } of dead) net.network.setLink(newcomer.host, host, { dialFailure: 1 });
  await newcomer.run('peer.connect', { target: hub.connectString });
  await net.clock.advance(20_000);
  t.is(newcomer.counters()['growth-outcomes.unreachable'], 3);
  t.is((await slotsOf(newcomer)).held, 1);
  // Three diffs of the hub; the rebalance after ten minutes would begin again in any case.
  await net.clock.advance(400_000);
  t.deepEqual((await slotsOf(newcomer)).connections, { mesh: [hub.id, live.id] });
});
