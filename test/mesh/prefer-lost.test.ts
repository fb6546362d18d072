import test from 'ava';
import { FakeNet } from './fake-net.ts';
import type { FakeNode } from './fake-net.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Whoever is refused in the first hour asks again in the second. */
const AGREED_MS = 75 * 60_000;

const preferredOf = async (node: FakeNode) => (await node.run<{ preferred: string[] }>('mesh.slots')).preferred;
const slotOf = async (node: FakeNode, other: FakeNode) =>
  (await node.run<{ peers: { node_id: string; slot: string }[] }>('peer.list')).peers.find(
    ({ node_id }) => node_id === other.id,
  )?.slot;

test('a preferred peer gone for seven days loses its place, and is one of many when it is back (CONN-08)', async (t) => {
  t.timeout(120_000);
  const net = new FakeNet(t);
  const anna = await net.node('anna');
  await net.clock.until(anna.node.host.configure('mesh', { maxPreferred: 1 }));
  const [bert, carl] = [await net.node('bert'), await net.node('carl')];
  await bert.run('peer.connect', { target: anna.connectString });
  await net.clock.advance(AGREED_MS);
  t.deepEqual(await preferredOf(anna), [bert.id]);
  await carl.run('peer.connect', { target: anna.connectString });
  await bert.stop();

  // Its place is kept for it, whoever asks for one meanwhile.
  await net.clock.advance(7 * DAY_MS - HOUR_MS);
  t.deepEqual(await preferredOf(anna), [bert.id]);
  t.true((anna.counters()['reconnect-preferred-failed.resolve/unreachable'] ?? 0) > 0);
  t.is(await slotOf(anna, carl), 'non-preferred');

  await net.clock.advance(AGREED_MS);
  t.is(anna.counters()['preferred-pruned'], 1);
  await net.clock.advance(AGREED_MS);
  t.deepEqual(await preferredOf(anna), [carl.id]);
  const again = await anna.restart();
  t.deepEqual(await preferredOf(again), [carl.id]);

  await net.clock.advance(DAY_MS - 4 * HOUR_MS);
  const back = await net.node('bert', { dataDir: bert.dataDir, host: bert.host });
  await net.clock.advance(10_000);
  for (const [one, other] of [
    [again, back],
    [back, again],
  ] as const) {
    t.is(await slotOf(one, other), 'non-preferred', one.name);
  }
  await net.clock.advance(2 * AGREED_MS);
  t.deepEqual([await preferredOf(again), await slotOf(back, again)], [[carl.id], 'non-preferred']);

  // Only a new agreement makes it one again.
  await again.run('mesh.unprefer', { node_id: carl.id });
  await net.clock.advance(2 * AGREED_MS);
  t.deepEqual(await preferredOf(again), [bert.id]);
  t.true((await preferredOf(back)).includes(anna.id));
});
