import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { presenceTables } from '../../plugins/presence/migrations/0001-presence.ts';
import { WATCHERS_PER_TARGET_MAX, Watchers, WATCHES_PER_WATCHER_MAX } from '../../plugins/presence/watchers.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { DAY_MS, follow, HOUR_MS, know, MINUTE_MS, prefer, quietNet } from './quiet-net.ts';

const nodeId = (n: number): NodeId => n.toString(16).padStart(64, '0') as NodeId;
const [target, watcher] = [nodeId(1), nodeId(2)];
const all = (): boolean => true;

function watchers(t: import('ava').ExecutionContext): Watchers {
  const clock = new VirtualClock();
  const store = openStore({ path: join(temporaryDirectory(t), 'w.db'), log: recordingLog(), clock });
  t.teardown(() => store.close());
  store.migrate('presence', [presenceTables], ['expand']);
  return new Watchers(store.database('presence'));
}

test('a watcher is told at once in the first week, after that at the daily check, and never after 30 days', (t) => {
  const rows = watchers(t);
  rows.register(target, watcher, false, 0);
  t.deepEqual(rows.takeReturn(target, 6.9 * DAY_MS, all), [{ target, watcher }]);
  t.deepEqual(rows.takeDeparture(target, 6.95 * DAY_MS, all), [{ target, watcher }]);
  t.deepEqual(rows.takeReturn(target, 7.1 * DAY_MS, all), []);
  t.deepEqual(rows.takeReturnsFor(watcher, 7.1 * DAY_MS, all), []);
  t.deepEqual(rows.takeDaily(8 * DAY_MS, all), [{ target, watcher }]);
  rows.takeDeparture(target, 9 * DAY_MS, all);
  t.is(rows.count(), 1);
  t.deepEqual(rows.takeDaily(30 * DAY_MS, all), []);
  t.is(rows.count(), 0);
});

test('asking again does not prolong a watch', (t) => {
  const rows = watchers(t);
  for (let day = 0; day < 30; day++) rows.register(target, watcher, false, day * DAY_MS);
  rows.prune(30 * DAY_MS);
  t.is(rows.count(), 0);
});

test('who is away hears of a return when it is back itself', (t) => {
  const rows = watchers(t);
  rows.register(target, watcher, false, 0);
  t.deepEqual(
    rows.takeReturn(target, HOUR_MS, () => false),
    [],
  );
  t.deepEqual(rows.takeReturnsFor(watcher, 2 * HOUR_MS, all), [{ target, watcher }]);
  t.deepEqual(rows.takeReturnsFor(watcher, 3 * HOUR_MS, all), []);
});

test('one who comes and goes all day is not reported each time', (t) => {
  const rows = watchers(t);
  rows.register(target, watcher, false, 0);
  let told = 0;
  for (let at = MINUTE_MS; at <= HOUR_MS; at += MINUTE_MS) {
    told += rows.takeReturn(target, at + HOUR_MS, all).length;
    rows.takeDeparture(target, at + HOUR_MS, all);
  }
  t.is(told, 6);
});

test('neither one asker nor many can fill the table', (t) => {
  const rows = watchers(t);
  let kept = 0;
  for (let n = 0; n < 1_000; n++) if (rows.register(nodeId(10 + n), watcher, false, 0)) kept++;
  t.is(kept, WATCHES_PER_WATCHER_MAX);
  kept = 0;
  for (let n = 0; n < 1_000; n++) if (rows.register(target, nodeId(10 + n), false, 0)) kept++;
  t.is(kept, WATCHERS_PER_TARGET_MAX);
});

test('a preferred peer tells of the return, and the contact is found where it is now (SOC-05)', async (t) => {
  const net = quietNet(t);
  const [anna, bert, dora] = await net.start('anna', 'bert', 'dora');
  await follow(net, anna, bert);
  await prefer(bert, dora);
  await anna.run('peer.connect', { target: dora.connectString });
  await bert.run('peer.connect', { target: dora.connectString });
  await net.advance(2 * MINUTE_MS);
  await bert.stop();
  await net.advance(4 * HOUR_MS);
  t.true((anna.counters('presence')['contacts-asked-about'] ?? 0) > 0);
  const moved = await net.restart(bert, { host: '5.6.7.99' });
  await prefer(moved, dora);
  await moved.run('peer.connect', { target: dora.connectString });
  await net.advance(MINUTE_MS);
  t.is(dora.counters('presence')['SocialAddressUpdate-sent'], 1);
  await net.advance(15 * MINUTE_MS);
  const [route] = (
    await anna.run<{ follows: { reach: string; online: boolean; addresses: string[] }[] }>('follow.list')
  ).follows;
  t.like(route, { reach: 'direct', online: true });
  t.is(route?.addresses[0], moved.address);
});

test('a preferred peer tells of the departure (SOC-04)', async (t) => {
  const net = quietNet(t);
  const [anna, bert, dora] = await net.start('anna', 'bert', 'dora');
  const reach = async () => (await anna.run<{ follows: { reach: string }[] }>('follow.list')).follows[0]?.reach;
  await follow(net, anna, bert);
  await prefer(bert, dora);
  await anna.run('peer.connect', { target: dora.connectString });
  await bert.run('peer.connect', { target: dora.connectString });
  await net.advance(2 * MINUTE_MS);
  // The way between the two is gone, but each still reaches dora.
  net.memory.setLink(anna.host, bert.host, { dialFailure: 1 });
  net.memory.breakConnections(anna.host, bert.host);
  await know(anna, { addresses: { [bert.id]: [] } });
  await net.advance(4 * HOUR_MS);
  t.is(await reach(), 'indirect');
  await bert.stop();
  await net.advance(MINUTE_MS);
  t.is(await reach(), 'none');
});

test('whom we asked about a contact was forgotten at a reload, so that its departure was not believed', async (t) => {
  const net = quietNet(t);
  const [anna, bert, dora] = await net.start('anna', 'bert', 'dora');
  const reach = async () => (await anna.run<{ follows: { reach: string }[] }>('follow.list')).follows[0]?.reach;
  await follow(net, anna, bert);
  await prefer(bert, dora);
  await anna.run('peer.connect', { target: dora.connectString });
  await bert.run('peer.connect', { target: dora.connectString });
  await net.advance(2 * MINUTE_MS);
  net.memory.setLink(anna.host, bert.host, { dialFailure: 1 });
  net.memory.breakConnections(anna.host, bert.host);
  await know(anna, { addresses: { [bert.id]: [] } });
  await net.advance(4 * HOUR_MS);
  t.is(await reach(), 'indirect');
  t.is((await anna.reload('presence')).outcome, 'committed');
  await bert.stop();
  await net.advance(MINUTE_MS);
  t.is(anna.counters('presence')['disconnect-notices-unasked'], undefined);
  t.is(await reach(), 'none');
});
