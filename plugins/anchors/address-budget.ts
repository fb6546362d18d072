import { BoundedMap } from '../../kernel/index.ts';

/** Hosts remembered; beyond it the one longest without a dial is forgotten. */
const HOSTS_MAX = 2_000;

export interface BudgetLimits {
  /** Dials to one host within the window. */
  readonly perHost: number;
  /** Dials to all hosts within the window. */
  readonly total: number;
  readonly windowMs: number;
}

/**
 * Counts dials made because somebody else asked for them, so that no number of askers can use us to
 * hammer one machine.
 */
export class AddressBudget {
  readonly #limits: BudgetLimits;
  readonly #spent = new BoundedMap<string, readonly number[]>(HOSTS_MAX);
  #total: number[] = [];

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Takes one dial to `host` off the budget; false when there is none left. */
  spend(host: string, nowMs: number): boolean {
    const { perHost, total, windowMs } = this.#limits;
    const recent = (times: readonly number[]) => times.filter((atMs) => nowMs - atMs < windowMs);
    const ofHost = recent(this.#spent.get(host) ?? []);
    this.#total = recent(this.#total);
    if (ofHost.length >= perHost || this.#total.length >= total) return false;
    this.#total.push(nowMs);
    this.#spent.set(host, [...ofHost, nowMs]);
    return true;
  }
}
