import test from 'ava';
import { swapUnderLoad } from './load.ts';

test('27 swaps under 1,000 messages a second lose, double and drop nothing', async (t) => {
  const report = await swapUnderLoad(t, { swaps: 27, perSecond: 1_000 });
  t.log(report);
  t.deepEqual(report.failed, []);
  t.like(report, { lost: 0, doubled: 0, dropped: 0 });
});
