import { RateLimiter, TokenBucket } from '../../kernel/index.ts';
import type { Clock, NodeId } from '../../kernel/index.ts';

/** Relays at once, and a second over all: each is a hundred queries of ours. */
const AT_ONCE_MAX = 8;
const PER_SECOND = 4;
const BURST = 16;
/** A node needs one relay of us in a search, and is not likely to be referred to us twice in a minute. */
const NODE_PER_SECOND = 0.1;
const NODE_BURST = 3;
/** Nodes whose use is remembered; whoever is forgotten is within the common budget still. */
const NODES_MAX = 1_024;

const ALL = { perSecond: PER_SECOND, burst: BURST };

/** What others may make us ask for them: without it one small frame would buy a hundred. */
export class RelayBudget {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #all: TokenBucket;
  readonly #ofOne: RateLimiter<NodeId>;
  #running = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#all = new TokenBucket(ALL, clock.monotonic());
    this.#ofOne = new RateLimiter({ clock, perSecond: NODE_PER_SECOND, burst: NODE_BURST, keysMax: NODES_MAX });
  }

  /** Takes one relay, to be given back with {@link done}; false when there is none left. */
  take(nodeId: NodeId): boolean {
    if (this.#running >= AT_ONCE_MAX || !this.#ofOne.allows(nodeId)) return false;
    if (this.#all.take(ALL, this.#clock.monotonic()) > 0) return false;
    this.#ofOne.take(nodeId);
    this.#running += 1;
    return true;
  }

  done(): void {
    this.#running -= 1;
  }
}
