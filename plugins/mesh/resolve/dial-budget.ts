import { placeOf, Type } from '../../../kernel/index.ts';
import type { Clock, Static } from '../../../kernel/index.ts';

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
 * and records of contacts together, since to the stranger it is all the same who named it, and how.
 */
export class DialBudget {
  readonly #clock: Clock;
  /** In the order in which their windows began. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Charges a dial of this `host:port`; false when it must not be dialled now. */
  take(address: string): boolean {
    this.#expire();
    const { address: place, site } = placeOf(address);
    if (this.#dials(place) >= FAILURES_PER_ADDRESS || this.#dials(site) >= FAILURES_PER_SITE) return false;
    if (this.#counts.size >= COUNTED_MAX) return false;
    for (const key of new Set([place, site])) {
      const count = this.#counts.get(key);
      if (count === undefined) this.#counts.set(key, { dials: 1, sinceMs: this.#clock.now() });
      else count.dials++;
    }
    return true;
  }

  /** Charges each that may be dialled now, and gives those. */
  charge(addresses: readonly string[]): string[] {
    return addresses.filter((address) => this.take(address));
  }

  /** A dial of `charged` led to its node at `reachedAt`, which may be another address if the node came by itself. */
  led(charged: readonly string[], reachedAt: string | undefined): void {
    if (reachedAt !== undefined && charged.includes(reachedAt)) this.giveBack(reachedAt);
  }

  /**
   * The dial was not made, or it led to the node it was for. To be called with the address it was reached
   * at alone: the others of the same dial may be a stranger's, named along with a true one.
   */
  giveBack(address: string): void {
    const { address: place, site } = placeOf(address);
    for (const key of new Set([place, site])) {
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
