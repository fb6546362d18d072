import test from 'ava';
import { seededRandom, systemClock, VirtualClock } from '../../kernel/clock/index.ts';

test('timers run in order of time, then of making, each at its own instant', async (t) => {
  const clock = new VirtualClock({ startMs: 0 });
  const seen: string[] = [];
  for (const [name, delayMs] of [
    ['c', 30],
    ['a', 10],
    ['b1', 20],
    ['b2', 20],
  ] as const) {
    clock.timer(delayMs, () => seen.push(`${name}@${clock.now()}`));
  }
  await clock.advance(25);
  t.deepEqual(seen, ['a@10', 'b1@20', 'b2@20']);
  t.is(clock.now(), 25);
  await clock.advance(5);
  t.deepEqual(seen.at(-1), 'c@30');
});

test('promises settle between two timers', async (t) => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const chain = async (): Promise<void> => {
    await clock.sleep(10);
    await Promise.resolve();
    await Promise.resolve();
    seen.push('first chain');
    await clock.sleep(5);
    seen.push('second sleep');
  };
  void chain();
  clock.timer(11, () => seen.push('timer'));
  await clock.advance(20);
  t.deepEqual(seen, ['first chain', 'timer', 'second sleep']);
});

test('a cancelled timer never runs and leaves nothing behind', async (t) => {
  const clock = new VirtualClock();
  const handles = Array.from({ length: 1_000 }, (_, i) => clock.timer(i, () => t.fail()));
  for (const handle of handles) {
    handle.cancel();
    handle.cancel();
  }
  t.is(clock.pending, 0);
  t.is(await clock.runUntilIdle(), 0);
});

test('order holds over a random mix of timers and cancellations', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const clock = new VirtualClock({ startMs: 0 });
  const expected: number[] = [];
  const seen: number[] = [];
  for (let i = 0; i < 500; i++) {
    const delayMs = random.integer(1_000);
    const handle = clock.timer(delayMs, () => seen.push(clock.now()));
    if (random.float() < 0.4) handle.cancel();
    else expected.push(delayMs);
  }
  await clock.runUntilIdle();
  t.deepEqual(
    seen,
    expected.sort((a, b) => a - b),
  );
});

test('sleep rejects with the reason of its signal', async (t) => {
  for (const clock of [new VirtualClock(), systemClock()]) {
    const controller = new AbortController();
    const sleep = clock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await t.throwsAsync(sleep, { message: 'enough' });
    await t.throwsAsync(clock.sleep(1, controller.signal), { message: 'enough' });
  }
});

test('until gives the value, or says that nothing comes', async (t) => {
  const clock = new VirtualClock();
  t.is(await clock.until(clock.sleep(40_000).then(() => 'done')), 'done');
  await t.throwsAsync(clock.until(new Promise(() => {}), 1_000), { code: 'clock/stalled' });
});

test('the clock cannot be advanced from two sides', async (t) => {
  const clock = new VirtualClock();
  const first = clock.advance(10);
  await t.throwsAsync(clock.advance(10), { code: 'clock/already-running' });
  await first;
});

test('time stands still while work is on the thread pool', async (t) => {
  let turns = 3;
  const clock = new VirtualClock({ busy: () => turns-- > 0 });
  await clock.settle();
  t.true(turns <= 0);
});
