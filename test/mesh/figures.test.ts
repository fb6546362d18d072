import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { growthTried } from '../../plugins/mesh/api.ts';
import type { GrowthTried } from '../../plugins/mesh/api.ts';
import { meshNet, type PeerView } from './mesh-net.ts';

const reachOf = (node: TestNode, node_id: string) =>
  node.run<{ layer: string; reach: string }>('peer.reach', { node_id });

test('UI-18: peer list gives each peer the reach that peer reach says, and a slot makes it mesh', async (t) => {
  const net = meshNet(t);
  const [hub, first, last] = await net.start('hub', 'first', 'last');
  await hub.configure('mesh', { maxMesh: 1 });
  // It does not look for others by itself.
  await last.configure('mesh', { growth: false });
  await first.run('peer.connect', { target: hub.connectString });
  await last.run('peer.connect', { target: hub.connectString });
  await net.advance(1_000);
  const badges: Record<string, string> = {};
  for (const { node_id, ...peer } of (await hub.run<{ peers: (PeerView & { reach: string })[] }>('peer.list')).peers) {
    badges[node_id] = peer.reach;
    t.is(peer.reach, (await reachOf(hub, node_id)).reach);
  }
  t.deepEqual(badges, { [first.id]: 'mesh', [last.id]: 'n1' });
  t.like(await reachOf(hub, first.id), { layer: 'n1', reach: 'mesh' });
  t.like(await reachOf(last, first.id), { layer: 'n2', reach: 'n2' });
  t.like(await reachOf(last, 'f'.repeat(64)), { layer: 'none', reach: 'none' });
});

test('UI-19: status, mesh slots and growth explain count the same', async (t) => {
  const net = meshNet(t);
  const [a, b, c] = await net.start('a', 'b', 'c');
  for (const node of [a, b, c]) await node.configure('mesh', { growth: false });
  await a.run('peer.connect', { target: b.connectString });
  await b.run('peer.connect', { target: c.connectString });
  await net.advance(130_000);
  t.deepEqual(a.inspect('mesh').diagnostics.status, { mesh_slots: 1 });
  t.deepEqual(a.inspect('routing').diagnostics.status, { n1: 1, n2: 1, n3: 0 });
  t.like(await a.run('mesh.slots'), { held: 1, preferred_held: 0, connections: { mesh: [b.id] } });
  t.like(await a.run('growth.explain'), { used: 1, verdict: 'switched off by config mesh.growth' });
});

test('growth explain says of the last attempts what became of them and why, and so does an event', async (t) => {
  const net = meshNet(t);
  const [hub, open, cut] = await net.start('hub', 'open', 'cut');
  const last = await net.add({ name: 'last' });
  net.memory.setLink(last.host, cut.host, { dialFailure: 1 });
  for (const node of [open, cut]) await node.run('peer.connect', { target: hub.connectString });
  for (const node of [open, cut]) await node.configure('mesh', { growth: false });
  const told: GrowthTried[] = [];
  const listening = last.kernel.bus.stream(growthTried).subscribe((event) => told.push(event));
  t.teardown(() => listening.unsubscribe());
  await last.run('peer.connect', { target: hub.connectString });
  await net.advance(50_000);
  const { tried } = await last.run<{ tried: { node_id: string }[] }>('growth.explain');
  const of = (nodeId: string) => tried.find(({ node_id }) => node_id === nodeId);
  t.like(of(open.id), { why: 'candidate', outcome: 'joined', reason: '' });
  t.like(of(cut.id), { why: 'candidate', outcome: 'unreachable', reason: 'resolve/unreachable' });
  t.deepEqual(
    told.map(({ nodeId }) => nodeId as string).reverse(),
    tried.map(({ node_id }) => node_id),
  );
});
