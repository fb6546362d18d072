import { LRUCache } from 'lru-cache';

/**
 * A map that keeps at most `max` entries: writing one more drops the oldest, the one that was written
 * (or read with {@link use}) longest ago. For what peers can fill and what may be forgotten.
 *
 * Iteration is from the oldest to the newest. Entries may be deleted meanwhile; one that is written meanwhile
 * comes again at the end, so whoever writes walks a copy.
 */
export class BoundedMap<K extends NonNullable<unknown>, V extends NonNullable<unknown>> implements Iterable<[K, V]> {
  readonly max: number;
  readonly #entries: LRUCache<K, V>;
  #dropped = 0;

  constructor(max: number) {
    this.max = max;
    // By size and not by count: with a count the cache allocates all its places at once, which
    // a thousand simulated nodes with mostly empty maps cannot afford.
    this.#entries = new LRUCache({
      maxSize: max,
      sizeCalculation: () => 1,
      dispose: (_value, _key, reason) => {
        if (reason === 'evict') this.#dropped += 1;
      },
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries dropped for want of room so far. */
  get dropped(): number {
    return this.#dropped;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.peek(key);
  }

  /** Reads an entry and makes it the newest. */
  use(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Writes an entry and makes it the newest. */
  set(key: K, value: V): this {
    this.#entries.set(key, value);
    return this;
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): IterableIterator<K> {
    return this.#entries.rkeys();
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const key of this.#entries.rkeys()) {
      const value = this.#entries.peek(key);
      if (value !== undefined) yield [key, value];
    }
  }
}
