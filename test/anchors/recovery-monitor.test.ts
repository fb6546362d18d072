import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { AnchorsContext } from '../../plugins/anchors/context.ts';
import { RecoveryMonitor } from '../../plugins/anchors/recovery-monitor.ts';

test('recovery goes on after an error, whoever made it', async (t) => {
  const clock = new VirtualClock();
  const counters = createCounters().of('anchors');
  const ctx = {
    clock,
    counters,
    signal: new AbortController().signal,
    random: seededRandom('lookout'),
    background: (_what: string, work: Promise<unknown>) => void work.catch(() => {}),
  };
  const troubles = ['no anchors', 'no run'];
  let meshSize = 0;
  const failAt = (trouble: string): void => {
    if (troubles[0] === trouble) throw new Error(troubles.shift());
  };
  const recoveryMonitor = new RecoveryMonitor(
    { ctx } as never as AnchorsContext,
    {
      directory: { meshSize: () => meshSize },
      known: { all: () => [] },
      hasAnchors: async () => {
        failAt('no anchors');
        return true;
      },
      rejoin: {
        run: async () => {
          failAt('no run');
          meshSize = 1;
        },
      },
    } as never,
  );
  recoveryMonitor.check();
  await clock.advance(5 * 60_000);
  t.deepEqual(troubles, []);
  t.is(meshSize, 1);
  t.is(counters.read()['recovery-failed.unknown'], 2);
});
