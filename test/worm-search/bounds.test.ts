import { join } from 'node:path';
import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { Claims } from '../../plugins/worm-search/claims.ts';
import { Cooldown, WORM_COOLDOWN_MS } from '../../plugins/worm-search/cooldown.ts';
import { HolderReputation } from '../../plugins/worm-search/holder-reputation.ts';
import { wormCooldown } from '../../plugins/worm-search/migrations/0001-worm-cooldown.ts';
import { RelayBudget } from '../../plugins/worm-search/relay-budget.ts';
import { Seen, WORM_DEDUP_MS } from '../../plugins/worm-search/seen.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const hex = (number: number, length: number): string => number.toString(16).padStart(length, '0');
const node = (number: number): NodeId => hex(number, 64) as NodeId;

test('searches seen are forgotten after ten seconds, and the oldest above 4,096', (t) => {
  const seen = new Seen();
  for (let number = 0; number < 10_000; number++) t.true(seen.handle(hex(number, 32), 0));
  t.is(seen.size, 4_096);
  t.false(seen.handle(hex(9_999, 32), WORM_DEDUP_MS - 1));
  t.true(seen.handle(hex(9_999, 32), WORM_DEDUP_MS));
  t.is(seen.size, 1);
  t.true(seen.relay(hex(9_999, 32)));
  t.false(seen.relay(hex(9_999, 32)));
});

test('ten thousand made-up nodes together buy no more relays than the common budget has', async (t) => {
  const clock = new VirtualClock();
  const budget = new RelayBudget(clock);
  let bought = 0;
  for (let number = 0; number < 10_000; number++) {
    if (!budget.take(node(number))) continue;
    bought += 1;
    budget.done();
  }
  t.is(bought, 16);
  await clock.advance(1_000);
  t.true(budget.take(node(1)));
});

test('more relays at once than eight are refused, whoever asks', (t) => {
  const clock = new VirtualClock();
  const budget = new RelayBudget(clock);
  const taken = Array.from({ length: 12 }, (_, number) => budget.take(node(number)));
  t.is(taken.filter(Boolean).length, 8);
  budget.done();
  t.true(budget.take(node(99)));
});

test('broken claims are forgotten after an hour, those of others above 500 nodes, and by one that holds', (t) => {
  const distrust = new HolderReputation();
  for (let number = 0; number < 501; number++) distrust.broke(node(number), 0);
  t.is(distrust.of(node(0), 0), 0);
  t.is(distrust.of(node(500), 0), 1);
  distrust.broke(node(500), 0);
  t.is(distrust.of(node(500), 0), 2);
  t.is(distrust.of(node(500), 3_600_001), 0);
  distrust.kept(node(499));
  t.is(distrust.of(node(499), 0), 0);
});

test('the claim most agree on is tried first, and that of a proven liar last', (t) => {
  const claims = new Claims<string>(seededRandom(1));
  for (let liar = 0; liar < 50; liar++) claims.add(`lie ${liar}`, `lie ${liar}`, liar === 0 ? 2 : 0);
  claims.add('truth', 'truth', 0);
  claims.add('truth', 'truth', 1);
  t.is(claims.take(), 'truth');
  claims.add('truth', 'truth', 0);
  const rest = Array.from({ length: 50 }, () => claims.take());
  t.false(rest.includes('truth'), 'what was tried is not tried again');
  t.is(rest.at(-1), 'lie 0');
  t.not(rest[0], 'lie 1', 'equals are drawn at random');
  t.is(claims.take(), undefined);
});

test('misses are kept for five minutes, ten thousand of them, and a clock set back frees them', (t) => {
  const store = openStore({
    path: join(temporaryDirectory(t), 'worm.db'),
    log: recordingLog(),
    clock: new VirtualClock(),
  });
  t.teardown(() => store.close());
  store.migrate('worm-search', [wormCooldown], ['expand']);
  const db = store.database('worm-search');
  const cooldown = new Cooldown(db);
  const target = (number: number) => ({ kind: 'node' as const, id: node(number) });
  db.transaction(() => {
    for (let number = 0; number < 10_050; number++) cooldown.missed(target(number), 1_000_000 + number);
  });
  const rows = db.prepare<{ count: number }>('SELECT count(*) AS count FROM worm_cooldown').get()?.count;
  t.is(rows, 10_000);
  const newest = target(10_049);
  t.is(cooldown.leftMs(newest, 1_010_049), WORM_COOLDOWN_MS);
  t.is(cooldown.leftMs({ ...newest, kind: 'post' as never }, 1_010_049), 0);
  t.is(cooldown.leftMs(newest, 1_010_049 + WORM_COOLDOWN_MS), 0);
  t.is(cooldown.leftMs(newest, 500_000), 0);
  cooldown.found(newest);
  t.is(cooldown.leftMs(newest, 1_010_049), 0);
});
