import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { meshCounters, meshNet } from './mesh-net.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Whoever is refused in the first hour asks again in the second. */
const AGREED_MS = 75 * 60_000;

const preferredOf = async (node: TestNode) => (await node.run<{ preferred: string[] }>('mesh.slots')).preferred;
const slotOf = async (node: TestNode, other: TestNode) =>
  (await node.run<{ peers: { node_id: string; slot: string }[] }>('peer.list')).peers.find(
    ({ node_id }) => node_id === other.id,
  )?.slot;

test('a preferred peer gone for seven days loses its place, and is one of many when it is back (CONN-08)', async (t) => {
  t.timeout(120_000);
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  await anna.configure('mesh', { maxPreferred: 1 });
  const [bert, carl] = await net.start('bert', 'carl');
  await bert.run('peer.connect', { target: anna.connectString });
  await net.advance(AGREED_MS);
  t.deepEqual(await preferredOf(anna), [bert.id]);
  await carl.run('peer.connect', { target: anna.connectString });
  await bert.stop();

  // Its place is kept for it, whoever asks for one meanwhile.
  await net.advance(7 * DAY_MS - HOUR_MS);
  t.deepEqual(await preferredOf(anna), [bert.id]);
  t.true((meshCounters(anna)['reconnect-preferred-failed.resolve/unreachable'] ?? 0) > 0);
  t.is(await slotOf(anna, carl), 'non-preferred');

  await net.advance(AGREED_MS);
  t.is(meshCounters(anna)['preferred-pruned'], 1);
  await net.advance(AGREED_MS);
  t.deepEqual(await preferredOf(anna), [carl.id]);
  const again = await net.restart(anna);
  t.deepEqual(await preferredOf(again), [carl.id]);

  await net.advance(DAY_MS - 4 * HOUR_MS);
  const back = await net.restart(bert);
  await net.advance(10_000);
  for (const [one, other] of [
    [again, back],
    [back, again],
  ] as const) {
    t.is(await slotOf(one, other), 'non-preferred', one.name);
  }
  await net.advance(2 * AGREED_MS);
  t.deepEqual([await preferredOf(again), await slotOf(back, again)], [[carl.id], 'non-preferred']);

  // Only a new agreement makes it one again.
  await again.run('mesh.unprefer', { node_id: carl.id });
  await net.advance(2 * AGREED_MS);
  t.deepEqual(await preferredOf(again), [bert.id]);
  t.true((await preferredOf(back)).includes(anna.id));
});
