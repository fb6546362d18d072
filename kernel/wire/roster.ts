/** What can be in one roster at a time. */
export interface Member {
  /** Where it stands; the roster's own. */
  rosterAt: number;
}

/** Gaps that are left before the rest moves together. */
const GAPS_MAX = 64;

/**
 * What is under way, in the order it began. Takes in and gives up some ten thousand a second, where a
 * Set would leave a trail of outgrown tables that keep what is long gone in memory until a full collection.
 */
export class Roster<M extends Member> implements Iterable<M> {
  size = 0;
  readonly #members: (M | undefined)[] = [];

  add(member: M): void {
    member.rosterAt = this.#members.push(member) - 1;
    this.size++;
  }

  /** False when it is not in it. */
  delete(member: M): boolean {
    if (this.#members[member.rosterAt] !== member) return false;
    this.#members[member.rosterAt] = undefined;
    this.size--;
    if (this.#members.length > 2 * this.size + GAPS_MAX) this.#closeGaps();
    return true;
  }

  clear(): void {
    this.#members.length = 0;
    this.size = 0;
  }

  *[Symbol.iterator](): IterableIterator<M> {
    for (const member of this.#members) if (member !== undefined) yield member;
  }

  #closeGaps(): void {
    let end = 0;
    for (const member of this.#members) {
      if (member === undefined) continue;
      member.rosterAt = end;
      this.#members[end++] = member;
    }
    this.#members.length = end;
  }
}
