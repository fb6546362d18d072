import type { Counters } from '../sdk/log.ts';

/** Per owner; names beyond it are added up under `other`, so that a name made from input cannot grow us. */
const NAMES_MAX = 512;
const OVERFLOW_NAME = 'other';

/** The counters of every owner: plugins by their name, kernel parts as `kernel/<part>`. */
export interface CounterRegistry {
  /** The owner's counters; made on first use, kept over swaps. */
  of(owner: string): Counters;
  read(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Forgets an owner that will not come back. */
  drop(owner: string): void;
}

export function createCounters(): CounterRegistry {
  const owners = new Map<string, Counters>();
  return {
    of(owner) {
      let counters = owners.get(owner);
      if (counters === undefined) {
        counters = ownerCounters();
        owners.set(owner, counters);
      }
      return counters;
    },
    read: () => Object.fromEntries([...owners].map(([owner, counters]) => [owner, counters.read()])),
    drop: (owner) => void owners.delete(owner),
  };
}

function ownerCounters(): Counters {
  const values = new Map<string, number>();
  return {
    add(name, by = 1) {
      const value = values.get(name);
      if (value !== undefined) values.set(name, value + by);
      else if (values.size < NAMES_MAX - 1) values.set(name, by);
      else values.set(OVERFLOW_NAME, (values.get(OVERFLOW_NAME) ?? 0) + by);
    },
    read: () => Object.fromEntries(values),
  };
}
