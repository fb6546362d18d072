import test from 'ava';
import { swapUnderChurn } from '../swap/churn.ts';
import { quicWorld } from '../swap/churn-worlds.ts';
import { Copies } from '../swap/copies.ts';

test('240 swaps of six QUIC nodes lose, double, drop and forget nothing while others come and go', async (t) => {
  t.timeout(600_000);
  const report = await swapUnderChurn(t, quicWorld(t), new Copies(t), {
    ...{ stable: 6, churners: 3, stayMs: 1_000, swaps: 240, perSecond: 300, messagesBetween: 120 },
  });
  t.log(report);
  t.like(report, { lost: 0, doubled: 0, dropped: [], failed: [], forgotten: [], neverJoined: [], missed: 0 });
  t.true(report.swaps >= 240);
  t.true(report.joined >= 20, `only ${report.joined} joined`);
});
