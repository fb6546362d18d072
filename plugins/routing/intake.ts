import type { Clock, Counters, PeerId } from '../../kernel/index.ts';
import { decodeIds, ID_WORDS, SHORT_WORDS } from './id-list.ts';
import type { IdList } from './id-list.ts';
import type { NodeLists } from './messages.ts';
import type { ByLayer, ReachIndex } from './reach-index.ts';

/** Lists whose whole form is older than this are dropped (CONN-06). */
export const AGE_LIMIT_MS = 5 * 3_600_000;
/** A reporter that did not repeat itself by then is asked to. */
const OVERDUE_MS = 4.25 * 3_600_000;
/** A peer is asked for its whole lists at most this often. */
const ASK_EVERY_MS = 60_000;

/** What to do about a message, besides what is done. */
export type Intake = 'taken' | 'ask' | 'ignored';

/** Takes in what peers say of their neighbours, with everything moved one hop away (CONN-19, CONN-20). */
export class ListIntake {
  readonly #index: ReachIndex;
  readonly #clock: Clock;
  readonly #counters: Counters;

  constructor(index: ReachIndex, clock: Clock, counters: Counters) {
    this.#index = index;
    this.#clock = clock;
    this.#counters = counters;
  }

  /** `ask`: something is missing, and it is time to ask the peer for the whole lists. */
  take(peer: PeerId, lists: NodeLists): Intake {
    const added = layersOf(lists.n1_added, lists.n2_added);
    const removed = layersOf(lists.n1_removed, lists.n2_removed);
    if (added === undefined || removed === undefined) {
      this.#counters.add('lists-broken');
      return 'ignored';
    }
    const reporter = this.#index.reporters.get(peer);
    // Notices may overtake each other.
    if (reporter !== undefined && lists.revision < reporter.revision) return this.#ignore('lists-stale');
    if (lists.base === undefined) {
      if (!this.#index.replace(peer, added, lists.revision)) return this.#ignore('lists-without-place');
      this.#counters.add('lists-taken');
      return 'taken';
    }
    if (reporter === undefined) return this.#ask(peer);
    const gap = lists.base !== reporter.revision;
    // Each id that it adds or removes is true all the same.
    if (lists.revision > reporter.revision) {
      this.#index.apply(reporter, added, removed, lists.revision);
      this.#counters.add('diffs-taken');
    }
    return gap ? this.#ask(peer) : 'taken';
  }

  /** Drops what is too old; returns the peers to ask for their whole lists. */
  age(): PeerId[] {
    const now = this.#clock.now();
    const overdue: PeerId[] = [];
    for (const reporter of [...this.#index.reporters.all()]) {
      const age = now - reporter.listedAtMs;
      if (age >= AGE_LIMIT_MS) {
        this.#counters.add('lists-aged-out');
        this.#index.drop(reporter.peer);
      } else if (age >= OVERDUE_MS && now - reporter.askedAtMs >= ASK_EVERY_MS) {
        reporter.askedAtMs = now;
        overdue.push(reporter.peer);
      }
    }
    return overdue;
  }

  #ignore(counter: string): Intake {
    this.#counters.add(counter);
    return 'ignored';
  }

  #ask(peer: PeerId): Intake {
    this.#counters.add('diffs-missed');
    const reporter = this.#index.reporters.ensure(peer);
    const now = this.#clock.now();
    if (reporter === undefined) return this.#ignore('lists-without-place');
    if (reporter.revision < 0) reporter.listedAtMs = now;
    if (now - reporter.askedAtMs < ASK_EVERY_MS) return 'ignored';
    reporter.askedAtMs = now;
    return 'ask';
  }
}

/** `undefined` when a packed list is not whole. */
function layersOf(n1: IdList = [], n2: IdList = []): ByLayer | undefined {
  const [near, far] = [decodeIds(n1, ID_WORDS), decodeIds(n2, SHORT_WORDS)];
  return near === undefined || far === undefined ? undefined : { n2: near, n3: far };
}
