import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { cutPower, isSqlites } from '../disk/power-loss.ts';
import { recordedRun } from '../disk/recorded-run.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

test('power cut 400 times while rows are written: none that was acknowledged is missing, and both controls fail', async (t) => {
  t.timeout(180_000);
  const seed = Math.floor(Math.random() * 1e9);
  const entries = await recordedRun(t, 1_500);
  if (entries === undefined) return t.pass();
  const cut = { cuts: 400, random: seededRandom(seed), dir: temporaryDirectory(t) };
  t.deepEqual(cutPower(entries, cut), { lost: 0, corrupt: 0 }, `seed ${seed}`);
  const early = cutPower(entries, { ...cut, promised: 'commits' });
  const unsynced = cutPower(entries, { ...cut, lostSyncs: isSqlites });
  t.log(
    `seed ${seed}; acknowledged too early: ${early.lost} of 400 lose rows; SQLite's syncs lost: ${unsynced.corrupt} corrupt`,
  );
  t.true(early.lost > 40);
  t.true(unsynced.corrupt > 40);
});
