import type { Clock } from '../clock.ts';
import { BoundedMap } from './bounded-map.ts';

/** A token refilled in many steps is not exactly 1. */
const WHOLE = 1 - 1e-9;

export interface Rate {
  /** Sustained. */
  readonly perSecond: number;
  /** At once, after a pause; at least 1. */
  readonly burst: number;
}

/** A token bucket: `burst` tokens at first, refilled at `perSecond`. Times are of the monotonic clock. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor({ burst }: Rate, nowMs: number) {
    this.#tokens = Math.max(1, burst);
    this.#atMs = nowMs;
  }

  /** Takes a token: returns 0, or takes none and returns after how many milliseconds there will be one. */
  take(rate: Rate, nowMs: number): number {
    const waitMs = this.waitMs(rate, nowMs);
    if (waitMs === 0) this.#tokens -= 1;
    return waitMs;
  }

  /** The same without taking it. */
  waitMs({ perSecond, burst }: Rate, nowMs: number): number {
    const refilled = this.#tokens + (Math.max(0, nowMs - this.#atMs) * perSecond) / 1_000;
    this.#tokens = Math.min(refilled, Math.max(1, burst));
    this.#atMs = nowMs;
    return this.#tokens >= WHOLE ? 0 : Math.ceil(((WHOLE - this.#tokens) * 1_000) / perSecond);
  }
}

export interface RateLimiterOptions extends Rate {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Keys remembered; the one not asked for longest is forgotten, and starts with a full bucket. */
  readonly keysMax: number;
}

/** One token bucket for each key: what each peer, host or source may do. */
export class RateLimiter<K extends NonNullable<unknown>> {
  readonly #options: RateLimiterOptions;
  readonly #buckets: BoundedMap<K, TokenBucket>;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#buckets = new BoundedMap(options.keysMax);
  }

  /** Takes a token of the key's bucket; false when there is none. */
  take(key: K): boolean {
    return this.#bucket(key).take(this.#options, this.#options.clock.monotonic()) === 0;
  }

  /** Whether {@link take} would return true. */
  allows(key: K): boolean {
    return this.#bucket(key).waitMs(this.#options, this.#options.clock.monotonic()) === 0;
  }

  #bucket(key: K): TokenBucket {
    let bucket = this.#buckets.use(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options, this.#options.clock.monotonic());
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }
}
