import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { Loop, Random } from '../../kernel/index.ts';
import { LoopRunner } from '../../kernel/lifecycle/loop-runner.ts';

/** A loop on a virtual clock; `chance` is what the random numbers are. */
function rig(loop: Omit<Loop, 'run'> & Partial<Pick<Loop, 'run'>>, chance = 0.5) {
  const clock = new VirtualClock();
  const ticks: number[] = [];
  const failures: unknown[] = [];
  const random: Random = { float: () => chance, integer: () => 0, bytes: (length) => new Uint8Array(length) };
  const run: Loop['run'] = (signal) => {
    ticks.push(clock.monotonic());
    return loop.run?.(signal);
  };
  const runner = new LoopRunner('beat', { ...loop, run }, clock, random, (name, error) => failures.push([name, error]));
  return { clock, runner, ticks, failures };
}

for (const [chance, ticks] of [
  [0, [900, 1_800, 2_700]],
  [0.5, [1_000, 2_000, 3_000]],
  [1, [1_100, 2_200]],
] as const) {
  test(`ticks come a tenth early or late at most: with a chance of ${chance} at ${ticks.join(', ')}`, async (t) => {
    const { clock, runner, ticks: seen } = rig({ everyMs: 1_000 }, chance);
    runner.start();
    await clock.advance(3_000);
    t.deepEqual(seen, [...ticks]);
  });
}

test('a loop without jitter keeps to its time, one with jitter of its own strays by that', async (t) => {
  const exact = rig({ everyMs: 1_000, jitter: 0 }, 0);
  exact.runner.start();
  await exact.clock.advance(2_000);
  t.deepEqual(exact.ticks, [1_000, 2_000]);
  const half = rig({ everyMs: 1_000, jitter: 0.5 }, 0);
  half.runner.start();
  await half.clock.advance(1_000);
  t.deepEqual(half.ticks, [500, 1_000]);
});

test('an immediate loop ticks at once the first time it is started, and not again after a pause', async (t) => {
  const { clock, runner, ticks } = rig({ everyMs: 1_000, jitter: 0, immediate: true });
  runner.start();
  runner.start();
  await clock.advance(500);
  t.deepEqual(ticks, [0]);
  runner.stop();
  await clock.advance(5_000);
  t.deepEqual(ticks, [0]);
  t.is(clock.pending, 0);
  runner.start();
  await clock.advance(999);
  t.deepEqual(ticks, [0]);
  await clock.advance(1);
  t.deepEqual(ticks, [0, 6_500]);
});

test('ticks never overlap, and the pause counts from the end of one', async (t) => {
  const { clock, runner, ticks } = rig({ everyMs: 1_000, jitter: 0, limitMs: 9_000, run: () => clock.sleep(2_500) });
  runner.start();
  await clock.advance(1_000);
  t.true(runner.ticking instanceof Promise);
  await clock.advance(6_500);
  t.deepEqual(ticks, [1_000, 4_500]);
  t.is(runner.ticking, undefined);
  t.deepEqual(runner.report(), { name: 'beat', everyMs: 1_000, runs: 2, failures: 0, lastMs: 2_500 });
});

for (const [name, everyMs, limitMs, expected] of [
  ['its own limit', 1_000, 300, 300],
  ['its interval', 1_000, undefined, 1_000],
  ['a minute, when its interval is longer', 3_600_000, undefined, 60_000],
] as const) {
  test(`a tick is aborted after ${name}`, async (t) => {
    const { clock, runner, failures } = rig({
      everyMs,
      jitter: 0,
      ...(limitMs === undefined ? {} : { limitMs }),
      run: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    runner.start();
    await clock.advance(everyMs + expected - 1);
    t.deepEqual(failures, []);
    await clock.advance(1);
    t.like(failures, [['beat', { message: `The loop "beat" took longer than ${expected} ms.` }]]);
    t.like(runner.report(), { runs: 1, failures: 1, lastMs: expected });
  });
}

test('a failed tick is reported and the next one comes, whether it throws or rejects', async (t) => {
  let tick = 0;
  const { clock, runner, failures } = rig({
    everyMs: 1_000,
    jitter: 0,
    run: () => {
      tick += 1;
      if (tick === 1) throw new Error('thrown');
      if (tick === 2) return Promise.reject(new Error('rejected'));
      return undefined;
    },
  });
  runner.start();
  await clock.advance(3_000);
  t.like(failures, [
    ['beat', { message: 'thrown' }],
    ['beat', { message: 'rejected' }],
  ]);
  t.like(runner.report(), { runs: 3, failures: 2 });
});

test('a tick that is stopped and aborted is no failure, and none follows it', async (t) => {
  const { clock, runner, ticks, failures } = rig({
    everyMs: 1_000,
    jitter: 0,
    limitMs: 9_000,
    run: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  runner.start();
  await clock.advance(1_000);
  runner.stop();
  runner.abort(new Error('swap'));
  await clock.advance(5_000);
  t.deepEqual([ticks, failures], [[1_000], []]);
  t.is(clock.pending, 0);
});

test('a signal that was aborted is not handed to the next tick', async (t) => {
  const signals: AbortSignal[] = [];
  const { clock, runner } = rig({
    everyMs: 1_000,
    jitter: 0,
    run: (signal) => {
      signals.push(signal);
      if (signals.length === 2) runner.abort(new Error('stop'));
    },
  });
  runner.start();
  await clock.advance(3_000);
  t.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true, false],
    'the first two are one signal, aborted by the second tick',
  );
  t.is(signals[0], signals[1]);
});
