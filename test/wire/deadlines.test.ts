import test from 'ava';
import fc from 'fast-check';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { Clock } from '../../kernel/index.ts';
import { Deadline, Deadlines } from '../../kernel/wire/deadlines.ts';

const LATE_MAX_MS = 50;
/** A turn of the wheel: later deadlines stay for another. */
const TURN_MS = 256 * 50;

/** Deadlines that write down when they expire. */
function rig() {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const expired: [string, number][] = [];
  const make = (name: string, then = (): void => {}): Deadline =>
    new Deadline({
      expire() {
        expired.push([name, clock.monotonic()]);
        then();
      },
    });
  return { clock, deadlines, expired, make };
}

test('whatever is set, moved and cleared, each expires once, never early and at most 50 ms late', async (t) => {
  const step = fc.record({
    which: fc.integer({ min: 0, max: 5 }),
    action: fc.constantFrom('set', 'set', 'set', 'clear'),
    inMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3 * TURN_MS })),
    waitMs: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 20_000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, deadlines, expired, make } = rig();
      const entries = new Map(Array.from({ length: 6 }, (_, at) => [String(at), make(String(at))]));
      const due = new Map<string, number>();
      const check = (): void => {
        for (const [name, at] of expired.splice(0)) {
          const wanted = due.get(name) ?? Number.NaN;
          t.true(at >= wanted && at <= wanted + LATE_MAX_MS, `${name} due ${wanted} came ${at}`);
          due.delete(name);
        }
        for (const [name, at] of due) t.true(at + LATE_MAX_MS >= clock.monotonic(), `${name} due ${at} did not come`);
        for (const [name, entry] of entries) t.is(entry.isSet, due.has(name));
        t.true(clock.pending <= 1);
      };
      for (const { which, action, inMs, waitMs } of steps) {
        const name = String(which);
        const entry = entries.get(name) ?? make(name);
        if (action === 'clear') {
          deadlines.clear(entry);
          due.delete(name);
        } else {
          deadlines.set(entry, clock.monotonic() + inMs);
          due.set(name, clock.monotonic() + inMs);
        }
        await clock.advance(waitMs);
        check();
      }
      await clock.advance(4 * TURN_MS);
      check();
      t.is(due.size, 0);
    }),
    { numRuns: 60 },
  );
});

test('a deadline that has passed already expires with the next turn', async (t) => {
  const { clock, deadlines, expired, make } = rig();
  await clock.advance(10_000);
  deadlines.set(make('future'), 60_000);
  deadlines.set(make('past'), 5_000);
  await clock.advance(LATE_MAX_MS);
  t.deepEqual(expired, [['past', 10_050]]);
});

test('deadlines of one moment and of one place on the wheel do not disturb each other', async (t) => {
  const { clock, deadlines, expired, make } = rig();
  const [a, b, c] = [make('a'), make('b'), make('c')];
  for (const entry of [a, b, c]) deadlines.set(entry, 100);
  deadlines.clear(b);
  deadlines.set(b, 100 + TURN_MS);
  await clock.advance(200);
  t.deepEqual(expired.map(([name]) => name).sort(), ['a', 'c']);
  await clock.advance(TURN_MS);
  t.deepEqual(expired.at(-1)?.[0], 'b');
  t.is(expired.length, 3);
});

test('what one expiry clears does not expire, what it moves expires later, and what it sets has its time', async (t) => {
  const { clock, deadlines, expired, make } = rig();
  const cleared = make('cleared');
  const moved = make('moved');
  const fresh = make('fresh');
  // The last one set is the first in its place.
  deadlines.set(cleared, 100);
  deadlines.set(moved, 100);
  deadlines.set(
    make('first', () => {
      deadlines.clear(cleared);
      deadlines.set(moved, 1_000);
      deadlines.set(fresh, 500);
    }),
    100,
  );
  await clock.advance(2_000);
  t.deepEqual(
    expired.map(([name]) => name),
    ['first', 'fresh', 'moved'],
  );
});

test('one timer serves all, and an empty wheel is left to run out', async (t) => {
  const { clock, deadlines, make } = rig();
  const entries = Array.from({ length: 100 }, (_, at) => make(String(at)));
  for (const [at, entry] of entries.entries()) deadlines.set(entry, 10_000 - at);
  t.is(clock.pending, 1);
  for (const entry of entries) deadlines.clear(entry);
  for (const entry of entries) deadlines.clear(entry);
  t.is(clock.pending, 1);
  await clock.advance(20_000);
  t.is(clock.pending, 0);
});

test('after a machine slept for an hour all that was due expires in one turn', async (t) => {
  const { clock, deadlines, expired, make } = rig();
  await clock.advance(3_600_000);
  deadlines.set(make('a'), 3_600_000 + 10);
  deadlines.set(make('b'), 3_600_000 + 30_000);
  await clock.advance(60);
  t.deepEqual(expired, [['a', 3_600_050]]);
  await clock.advance(3_600_000);
  t.is(expired[1]?.[1], 3_600_000 + 30_050);
});

test('after the close nothing expires any more', async (t) => {
  const { clock, deadlines, expired, make } = rig();
  deadlines.set(make('a'), 100);
  deadlines.close();
  t.is(clock.pending, 0);
  await clock.advance(1_000);
  t.deepEqual(expired, []);
});

test('a deadline that is set while a busy loop keeps the timer waiting does not hide those that are due', (t) => {
  let now = 0;
  let run = (): void => {};
  const clock: Partial<Clock> = {
    monotonic: () => now,
    timer: (_ms, callback) => {
      run = callback;
      return { cancel() {} };
    },
  };
  const deadlines = new Deadlines(clock as Clock);
  const expired: string[] = [];
  deadlines.set(new Deadline({ expire: () => void expired.push('first') }), 100);
  now = 400;
  deadlines.set(new Deadline({ expire: () => void expired.push('second') }), 10_000);
  run();
  t.deepEqual(expired, ['first']);
});
