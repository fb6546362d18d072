import type { Clock } from '../../../kernel/index.ts';

/** Failed dials on the word of others, in one window. A success gives its own back. */
export const FAILURES_PER_ADDRESS = 3;
/** Several nodes may share a host. */
export const FAILURES_PER_HOST = 20;
const WINDOW_MS = 10 * 60_000;
/** Addresses and hosts counted; beyond it the one longest not dialled is forgotten. */
const COUNTED_MAX = 4_096;

interface Count {
  dials: number;
  sinceMs: number;
}

/** Keeps peers from using us to hammer a stranger: what others told us is dialled in vain only so often. */
export class DialBudget {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Charges a dial of this `host:port`; false when it must not be dialled now. */
  take(address: string): boolean {
    const [place, host] = [this.#count(address), this.#count(hostOf(address))];
    if (place.dials >= FAILURES_PER_ADDRESS || host.dials >= FAILURES_PER_HOST) return false;
    place.dials++;
    host.dials++;
    return true;
  }

  /** The dial was not made, or it led to the node it was for. */
  giveBack(address: string): void {
    for (const key of [address, hostOf(address)]) {
      const count = this.#counts.get(key);
      if (count !== undefined && count.dials > 0) count.dials--;
    }
  }

  #count(key: string): Count {
    const now = this.#clock.now();
    const known = this.#counts.get(key);
    const count = known !== undefined && now - known.sinceMs < WINDOW_MS ? known : { dials: 0, sinceMs: now };
    this.#counts.delete(key);
    this.#counts.set(key, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= COUNTED_MAX) break;
      this.#counts.delete(oldest);
    }
    return count;
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
