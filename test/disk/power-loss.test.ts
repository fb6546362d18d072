import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { cutPower, isSqlites, loopSyncs } from './power-loss.ts';
import { recordedRun } from './recorded-run.ts';

test('power cut 60 times: no acknowledged row is lost, the controls lose, and the loop waits for log headers alone', async (t) => {
  const entries = await recordedRun(t, 800);
  if (entries === undefined) return t.pass();
  const { ofLog, ofDatabase, logStarts } = loopSyncs(entries);
  t.log(`${entries.length} entries, the log started anew ${logStarts} times`);
  t.true(logStarts > 1);
  t.true(ofLog <= logStarts, `${ofLog} syncs of the log on the loop`);
  t.is(ofDatabase, 0);
  const cut = { cuts: 60, random: seededRandom(1), dir: temporaryDirectory(t) };
  t.deepEqual(cutPower(entries, cut), { lost: 0, corrupt: 0 });
  t.true(cutPower(entries, { ...cut, promised: 'commits' }).lost > 0);
  t.true(cutPower(entries, { ...cut, lostSyncs: isSqlites }).corrupt > 0);
});
