import test from 'ava';
import { swapUnderLoad } from '../swap/load.ts';

test('220 swaps of content, social and mesh under 1,000 messages a second lose, double and drop nothing', async (t) => {
  t.timeout(300_000);
  const report = await swapUnderLoad(t, { swaps: 220, perSecond: 1_000 });
  t.log(report);
  t.deepEqual(report.failed, []);
  t.like(report, { lost: 0, doubled: 0, dropped: 0 });
  t.true(report.swaps >= 200);
  t.true(report.messages / report.seconds >= 900, `only ${report.messages / report.seconds} messages a second`);
});
