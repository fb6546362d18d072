import test from 'ava';
import { swapUnderChurn } from './churn.ts';
import { memoryWorld } from './churn-worlds.ts';
import { Copies } from './copies.ts';

test('swaps of the mesh and all that rests on it lose, double, drop and forget nothing while nodes come and go', async (t) => {
  const world = memoryWorld(t);
  const work = swapUnderChurn(t, world, new Copies(t), {
    ...{ stable: 5, churners: 2, stayMs: 3_000, swaps: 100, perSecond: 50, messagesBetween: 30 },
  });
  const report = await world.clock.until(work, 3_600_000);
  t.log(report);
  t.like(report, {
    lost: 0,
    doubled: 0,
    dropped: [],
    failed: [],
    forgotten: [],
    neverJoined: [],
    missed: 0,
    unanswered: 0,
  });
  t.true(report.joined >= 10);
  t.true(report.heldMsMax < 50, `callers were held for ${report.heldMsMax} ms`);
});
