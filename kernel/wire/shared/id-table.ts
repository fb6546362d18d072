/** What a table can hold: in one at a time. */
export interface Identified<T> {
  readonly id: number;
  /** The table's own. */
  nextInTable: T | undefined;
}

/** A few hundred entries at most: a chain is short then, whatever ids a peer chooses. */
const CHAINS = 64;

/** Requests by their id. No Map, for the reason why a `Roster` is no Set. */
export class IdTable<T extends Identified<T>> implements Iterable<T> {
  size = 0;
  readonly #chains = new Array<T | undefined>(CHAINS).fill(undefined);

  get(id: number): T | undefined {
    let entry = this.#chains[id % CHAINS];
    while (entry !== undefined && entry.id !== id) entry = entry.nextInTable;
    return entry;
  }

  /** Its id must not be in the table. */
  add(entry: T): void {
    const chain = entry.id % CHAINS;
    entry.nextInTable = this.#chains[chain];
    this.#chains[chain] = entry;
    this.size++;
  }

  delete(id: number): void {
    const chain = id % CHAINS;
    let before: T | undefined;
    for (let entry = this.#chains[chain]; entry !== undefined; before = entry, entry = entry.nextInTable) {
      if (entry.id !== id) continue;
      if (before === undefined) this.#chains[chain] = entry.nextInTable;
      else before.nextInTable = entry.nextInTable;
      entry.nextInTable = undefined;
      this.size--;
      return;
    }
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const first of this.#chains) {
      for (let entry = first; entry !== undefined; entry = entry.nextInTable) yield entry;
    }
  }
}
