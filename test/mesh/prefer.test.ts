import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { meshPrefer } from '../../plugins/mesh/prefer/messages.ts';
import { meshCounters, meshNet, reloadMesh } from './mesh-net.ts';

const HOUR_MS = 3_600_000;
/** Whoever is refused in the first hour asks again in the second. */
const AGREED_MS = 75 * 60_000;
const slotsOf = (node: TestNode) =>
  node.run<{ held: number; preferred: string[]; connections: Record<string, string[]> }>('mesh.slots');

/** Two nodes that prefer each other; only one was asked to remember the other. */
async function pair(t: ExecutionContext) {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('peer.connect', { target: anna.connectString });
  await net.advance(AGREED_MS);
  return { net, anna, bert };
}

test('peers that last agree to prefer each other, and say so in their N+10', async (t) => {
  const { net, anna, bert } = await pair(t);
  t.deepEqual((await slotsOf(anna)).preferred, [bert.id]);
  t.deepEqual((await slotsOf(bert)).preferred, [anna.id]);
  const carl = await net.add({ name: 'carl' });
  await carl.run('peer.connect', { target: anna.connectString });
  const { nplus10 } = (await net.wait(
    carl.kernel.network.sendTo(anna.id, meshPrefer, { want: 'prefer', free_slots: 1, nplus10: [carl.id] }),
  )) as { nplus10: string[] };
  t.deepEqual(nplus10, [anna.id, bert.id]);
});

test('who asks too early is refused, and neither side prefers the other', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('peer.connect', { target: anna.connectString });
  await bert.run('rebalance.now');
  await net.advance(1_000);
  t.is(meshCounters(bert)['preference-refused'], 1);
  t.deepEqual((await slotsOf(anna)).preferred, []);
  t.deepEqual((await slotsOf(bert)).preferred, []);
});

test('either side ends the agreement for both', async (t) => {
  const { net, anna, bert } = await pair(t);
  await anna.run('mesh.unprefer', { node_id: bert.id });
  await net.advance(1_000);
  t.deepEqual((await slotsOf(anna)).preferred, []);
  t.deepEqual((await slotsOf(bert)).preferred, []);
  t.is((await slotsOf(anna)).held, 1);
});

test('an agreement the other side knows nothing of ends at the next handshake', async (t) => {
  const { net, anna, bert } = await pair(t);
  await bert.stop();
  await anna.run('mesh.unprefer', { node_id: bert.id });
  const back = await net.restart(bert);
  await net.advance(5_000);
  t.is((await slotsOf(back)).held, 1);
  t.deepEqual((await slotsOf(back)).preferred, []);
});

test('a preferred peer that returns to a full mesh takes the place of another, who is told', async (t) => {
  const { net, anna, bert } = await pair(t);
  await bert.stop();
  await anna.configure('mesh', { maxMesh: 2, growth: false });
  for (const name of ['carl', 'dora']) {
    const node = await net.add({ name });
    await node.configure('mesh', { growth: false });
    await node.run('peer.connect', { target: anna.connectString });
  }
  t.is((await slotsOf(anna)).held, 2);
  const back = await net.restart(bert);
  await net.advance(2_000);
  const { held, connections } = await slotsOf(anna);
  t.is(held, 2);
  t.true(connections.mesh?.includes(bert.id));
  t.is(meshCounters(anna)['evicted.preferred-return'], 1);
  t.deepEqual((await slotsOf(back)).preferred, [anna.id]);
});

test('preferred peers are the first to be dialled after a restart, and survive swaps', async (t) => {
  const { net, anna, bert } = await pair(t);
  const carl = await net.add({ name: 'carl' });
  await bert.run('peer.connect', { target: carl.connectString });
  t.is((await reloadMesh(bert)).outcome, 'committed');
  t.deepEqual((await slotsOf(bert)).preferred, [anna.id]);
  await bert.stop();
  const before = net.dials.length;
  await net.restart(bert);
  await net.advance(5_000);
  const dials = net.dials.slice(before).filter(({ from }) => from === bert.id);
  t.is(dials[0]?.to, anna.host);
  t.true(dials.some(({ to }) => to === carl.host));
});

test('a flood of requests makes no more preferred peers than there are slots', async (t) => {
  const { net, anna, bert } = await pair(t);
  await anna.configure('mesh', { maxPreferred: 1 });
  const carl = await net.add({ name: 'carl' });
  await carl.run('peer.connect', { target: anna.connectString });
  await net.advance(HOUR_MS);
  const ask = () =>
    net.wait(
      carl.kernel.network.sendTo(anna.id, meshPrefer, { want: 'prefer', free_slots: 10, nplus10: [carl.id] }),
    ) as Promise<{ agreed: boolean; reason?: string }>;
  t.like(await ask(), { agreed: false, reason: 'full' });
  for (let n = 0; n < 20; n++) await ask().catch(() => undefined);
  t.deepEqual((await slotsOf(anna)).preferred, [bert.id]);
});
