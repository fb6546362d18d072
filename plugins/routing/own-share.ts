import type { Clock, NodeId } from '../../kernel/index.ts';
import { encodeIds, ID_WORDS, N1_SHARE_MAX, N2_SHARE_MAX, SHORT_WORDS } from './id-list.ts';
import type { IdList } from './id-list.ts';
import type { NodeLists } from './messages.ts';

interface Changes {
  readonly added: readonly NodeId[];
  readonly removed: readonly NodeId[];
}

/** What changed between two revisions. */
export interface ShareDiff {
  readonly base: number;
  readonly n1: Changes;
  readonly n2: Changes;
}

/**
 * The lists every peer is told, the same ones for all of them. N3 is no part of it (KNOW-03): what a peer
 * calls N2 came to us as somebody's N1.
 */
export class OwnShare {
  readonly #clock: Clock;
  #revision = 0;
  #n1: ReadonlySet<NodeId> = new Set();
  #n2: ReadonlySet<NodeId> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get revision(): number {
    return this.#revision;
  }

  get n1(): ReadonlySet<NodeId> {
    return this.#n1;
  }

  get n2(): ReadonlySet<NodeId> {
    return this.#n2;
  }

  restore(revision: number, n1: Iterable<NodeId>, n2: Iterable<NodeId>): void {
    this.#revision = revision;
    this.#n1 = new Set(n1);
    this.#n2 = new Set(n2);
  }

  /** Takes these as the lists of now. What is shared already keeps its place when there are too many. */
  publish(n1: Iterable<NodeId>, n2: Iterable<NodeId>): ShareDiff {
    const base = this.#revision;
    const [was1, was2] = [this.#n1, this.#n2];
    this.#n1 = cut(n1, was1, N1_SHARE_MAX);
    this.#n2 = cut(n2, was2, N2_SHARE_MAX);
    const diff = { base, n1: changes(was1, this.#n1), n2: changes(was2, this.#n2) };
    if ([diff.n1, diff.n2].some(({ added, removed }) => added.length + removed.length > 0)) {
      // From the clock, so that a generation which comes back after a failed swap is not behind itself.
      this.#revision = Math.max(base + 1, this.#clock.now());
    }
    return diff;
  }

  /** The whole lists. */
  whole(packed: boolean): NodeLists {
    return {
      revision: this.#revision,
      n1_added: encodeIds(this.#n1, ID_WORDS, packed),
      n2_added: encodeIds(this.#n2, SHORT_WORDS, packed),
    };
  }

  /** A diff to the present revision; without changes it is short, and tells that nothing was missed. */
  diff({ base, n1, n2 }: ShareDiff, packed: boolean): NodeLists {
    const list = (ids: readonly NodeId[], words: number): IdList | undefined =>
      ids.length === 0 ? undefined : encodeIds(ids, words, packed);
    return withoutUndefined({
      revision: this.#revision,
      base,
      n1_added: list(n1.added, ID_WORDS),
      n1_removed: list(n1.removed, ID_WORDS),
      n2_added: list(n2.added, SHORT_WORDS),
      n2_removed: list(n2.removed, SHORT_WORDS),
    });
  }
}

function cut(ids: Iterable<NodeId>, first: ReadonlySet<NodeId>, max: number): ReadonlySet<NodeId> {
  const all = new Set(ids);
  if (all.size <= max) return all;
  const kept = new Set<NodeId>();
  for (const candidates of [[...first].filter((id) => all.has(id)), all]) {
    for (const id of candidates) if (kept.size < max) kept.add(id);
  }
  return kept;
}

function changes(was: ReadonlySet<NodeId>, is: ReadonlySet<NodeId>): Changes {
  const added = [...is].filter((id) => !was.has(id));
  // Nothing is gone when what is not new makes up all there was.
  const removed = is.size - added.length === was.size ? [] : [...was].filter((id) => !is.has(id));
  return { added, removed };
}

function withoutUndefined(lists: { [K in keyof NodeLists]: NodeLists[K] | undefined }): NodeLists {
  return Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined)) as NodeLists;
}
