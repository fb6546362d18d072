import type { Random } from '../../kernel/index.ts';

/**
 * How long packets take. Stated, not measured: one way between two nodes is log-normal with a median
 * of 40 ms and sigma 0.6 (95 % below 107 ms, cut at 400 ms), the same for a pair at all times; each
 * message adds an exponential jitter of 4 ms mean; each exchange loses a packet with 1 % and then
 * takes 200 ms longer. One node in twenty does not answer at all, though its peers still count it.
 */
export const LATENCY = { medianMs: 40, sigma: 0.6, maxMs: 400, jitterMs: 4, loss: 0.01, lossMs: 200, dead: 0.05 };

const QUANTILES = 4_096;

export class Latency {
  readonly #random: Random;
  readonly #seed: number;
  readonly #quantiles = new Float32Array(QUANTILES);

  constructor(random: Random) {
    this.#random = random;
    this.#seed = random.integer(2 ** 31);
    const { medianMs, sigma, maxMs } = LATENCY;
    for (let at = 0; at < QUANTILES; at++) {
      this.#quantiles[at] = Math.min(maxMs, medianMs * Math.exp(sigma * normalQuantile((at + 0.5) / QUANTILES)));
    }
  }

  /** One way, without jitter. */
  base(a: number, b: number): number {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    return this.#quantiles[mix(mix(this.#seed ^ low) ^ high) & (QUANTILES - 1)] as number;
  }

  /** A request and its answer. */
  exchange(a: number, b: number): number {
    const { jitterMs, loss, lossMs } = LATENCY;
    const roundTripMs = 2 * this.base(a, b) - jitterMs * Math.log(1 - this.#random.float());
    return this.#random.float() < loss ? roundTripMs + lossMs : roundTripMs;
  }

  isDead(id: number): boolean {
    return mix(mix(this.#seed + 1) ^ id) % 1_000 < LATENCY.dead * 1_000;
  }
}

function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Inverse of the normal distribution by bisection on its series: exact enough, and only 4,096 are needed. */
function normalQuantile(p: number): number {
  let low = -6;
  let high = 6;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalShare(x: number): number {
  let sum = x;
  let term = x;
  for (let n = 1; n < 100; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
