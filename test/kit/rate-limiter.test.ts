import test from 'ava';
import fc from 'fast-check';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { RateLimiter, TokenBucket } from '../../kernel/index.ts';

test('a burst is let through, then the rate', async (t) => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter<string>({ clock, perSecond: 2, burst: 5, keysMax: 10 });
  const taken = (): number => Array.from({ length: 20 }, () => limiter.take('a')).filter(Boolean).length;
  t.is(taken(), 5);
  await clock.advance(1_000);
  t.is(taken(), 2);
  await clock.advance(60_000);
  t.is(taken(), 5, 'a pause saves no more than the burst');
});

test('one key does not spend for another, and asking whether costs nothing', (t) => {
  const limiter = new RateLimiter<string>({ clock: new VirtualClock(), perSecond: 1, burst: 1, keysMax: 10 });
  for (let n = 0; n < 5; n++) t.true(limiter.allows('a'));
  t.true(limiter.take('a'));
  t.false(limiter.allows('a'));
  t.false(limiter.take('a'));
  t.true(limiter.take('b'));
});

test('keys beyond the cap are forgotten, the one not asked for longest first', (t) => {
  const limiter = new RateLimiter<number>({ clock: new VirtualClock(), perSecond: 1, burst: 1, keysMax: 3 });
  for (const key of [1, 2, 3]) t.true(limiter.take(key));
  t.false(limiter.take(1));
  t.true(limiter.take(4));
  t.false(limiter.take(1), 'asked for since');
  t.true(limiter.take(2), 'forgotten');
});

test('whoever waits as long as it is told gets a token, and no sooner', (t) => {
  const rates = fc.record({ perSecond: fc.double({ min: 0.01, max: 1_000, noNaN: true }), burst: fc.nat(20) });
  fc.assert(
    fc.property(rates, fc.array(fc.nat(5_000), { maxLength: 50 }), (rate, pauses) => {
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      let taken = 0;
      for (const pause of pauses) {
        now += pause;
        const waitMs = bucket.waitMs(rate, now);
        t.is(bucket.take(rate, now), waitMs);
        if (waitMs === 0) taken += 1;
        else {
          if (waitMs > 1) t.true(bucket.waitMs(rate, now + waitMs - 1) > 0);
          now += waitMs;
          t.is(bucket.take(rate, now), 0);
          taken += 1;
        }
        t.true(taken <= Math.max(1, rate.burst) + (now * rate.perSecond) / 1_000 + 1e-6);
      }
    }),
  );
});

test('a clock that stands still or goes back adds nothing', (t) => {
  const rate = { perSecond: 10, burst: 1 };
  const bucket = new TokenBucket(rate, 1_000);
  t.is(bucket.take(rate, 1_000), 0);
  t.is(bucket.take(rate, 500), 100);
  t.is(bucket.take(rate, 0), 100);
});
