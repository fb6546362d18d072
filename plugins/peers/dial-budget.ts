import { placeOf, Type } from '../../kernel/index.ts';
import type { Clock, Static } from '../../kernel/index.ts';
import type { DialLimits } from './api.ts';

/** Failed dials on the word of others, in one window. A success gives its own back. */
export const FAILURES_PER_ADDRESS = 3;
/** Several nodes may share a site: an IPv4 address, or a household's IPv6 /64. */
export const FAILURES_PER_SITE = 20;
const WINDOW_MS = 10 * 60_000;
/**
 * Addresses and sites counted. At the cap nothing new is dialled on the word of others until the oldest
 * window is over: were the oldest forgotten instead, a crowd of inventions would wash out the count of a victim.
 */
const COUNTED_MAX = 32_768;

/** For the next generation: a swap gives nobody a fresh budget. */
export const DialCounts = Type.Array(
  Type.Object({ place: Type.String(), dials: Type.Integer(), sinceMs: Type.Number() }),
);
export type DialCounts = Static<typeof DialCounts>;

interface Count {
  dials: number;
  readonly sinceMs: number;
}

/**
 * Keeps peers from using us to hammer a stranger: what others told us is dialled in vain only so often.
 * A node has one, for leads, redirects, answers about addresses, findings of searches, referrals, probes
 * and records of contacts together, since to the stranger it is all the same who named it, and how. Dials
 * of one kind may have narrower limits within it.
 */
export class DialBudget {
  readonly #clock: Clock;
  /** In the order in which their windows began. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Charges a dial of this `host:port`; false when it must not be dialled now. */
  take(address: string, limits?: DialLimits): boolean {
    this.#expire();
    const { address: place, site } = placeOf(address);
    if (this.#dials(place) >= FAILURES_PER_ADDRESS || this.#dials(site) >= FAILURES_PER_SITE) return false;
    if (!this.#isWithin(site, limits)) return false;
    const keys = keysOf(place, site, limits);
    if (this.#counts.size + keys.length > COUNTED_MAX) return false;
    this.#count(keys);
    return true;
  }

  /** Charges each that may be dialled now, and returns those. */
  charge(addresses: readonly string[], limits?: DialLimits): string[] {
    return addresses.filter((address) => this.take(address, limits));
  }

  /** Charges a dial that somebody else is to make at our request to these limits alone. */
  takeForOther(address: string, limits: DialLimits): boolean {
    this.#expire();
    const { site } = placeOf(address);
    const keys = groupKeysOf(site, limits);
    if (!this.#isWithin(site, limits) || this.#counts.size + keys.length > COUNTED_MAX) return false;
    this.#count(keys);
    return true;
  }

  /**
   * The dial was not made, or it led to the node it was for. To be called with the address it was reached
   * at alone: the others of the same dial may be a stranger's, named along with a true one.
   */
  refund(address: string, limits?: DialLimits): void {
    const { address: place, site } = placeOf(address);
    for (const key of keysOf(place, site, limits)) {
      const count = this.#counts.get(key);
      if (count === undefined) continue;
      count.dials--;
      if (count.dials <= 0) this.#counts.delete(key);
    }
  }

  snapshot(): DialCounts {
    return [...this.#counts].map(([place, count]) => ({ place, ...count }));
  }

  restore(counts: DialCounts): void {
    for (const { place, dials, sinceMs } of counts) this.#counts.set(place, { dials, sinceMs });
  }

  #isWithin(site: string, limits: DialLimits | undefined): boolean {
    if (limits === undefined) return true;
    const [ofSite = '', ofAll = ''] = groupKeysOf(site, limits);
    return this.#dials(ofSite) < limits.perSite && this.#dials(ofAll) < limits.total;
  }

  #count(keys: readonly string[]): void {
    for (const key of keys) {
      const count = this.#counts.get(key);
      if (count === undefined) this.#counts.set(key, { dials: 1, sinceMs: this.#clock.now() });
      else count.dials++;
    }
  }

  #dials(key: string): number {
    return this.#counts.get(key)?.dials ?? 0;
  }

  #expire(): void {
    const before = this.#clock.now() - WINDOW_MS;
    for (const [key, { sinceMs }] of this.#counts) {
      if (sinceMs > before) break;
      this.#counts.delete(key);
    }
  }
}

function keysOf(place: string, site: string, limits: DialLimits | undefined): readonly string[] {
  return [...new Set([place, site]), ...groupKeysOf(site, limits)];
}

/** A space is in no address. */
function groupKeysOf(site: string, limits: DialLimits | undefined): readonly string[] {
  return limits === undefined ? [] : [`${limits.group} ${site}`, `${limits.group} `];
}
