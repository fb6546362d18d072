import type { NodeId } from '../../kernel/index.ts';

/** Relays at once, and a second over all: each is a hundred queries of ours. */
const AT_ONCE_MAX = 8;
const PER_SECOND = 4;
const BURST = 16;
/** A node needs one relay of us in a search, and is not likely to be referred to us twice in a minute. */
const NODE_PER_SECOND = 0.1;
const NODE_BURST = 3;
/** Nodes whose use is remembered; whoever is forgotten is within the common budget still. */
const NODES_MAX = 1_024;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** What others may make us ask for them: without it one small frame would buy a hundred. */
export class RelayBudget {
  readonly #common: Bucket;
  readonly #nodes = new Map<NodeId, Bucket>();
  #running = 0;

  constructor(nowMs: number) {
    this.#common = { tokens: BURST, atMs: nowMs };
  }

  /** Takes one relay, to be given back with {@link done}; false when there is none left. */
  take(nodeId: NodeId, nowMs: number): boolean {
    const own = this.#nodes.get(nodeId) ?? { tokens: NODE_BURST, atMs: nowMs };
    this.#nodes.delete(nodeId);
    this.#nodes.set(nodeId, own);
    const oldest = this.#nodes.keys().next().value;
    if (this.#nodes.size > NODES_MAX && oldest !== undefined) this.#nodes.delete(oldest);
    fill(own, NODE_PER_SECOND, NODE_BURST, nowMs);
    fill(this.#common, PER_SECOND, BURST, nowMs);
    if (this.#running >= AT_ONCE_MAX || own.tokens < 1 || this.#common.tokens < 1) return false;
    own.tokens -= 1;
    this.#common.tokens -= 1;
    this.#running += 1;
    return true;
  }

  done(): void {
    this.#running -= 1;
  }
}

function fill(bucket: Bucket, perSecond: number, burst: number, nowMs: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1_000) * perSecond);
  bucket.atMs = nowMs;
}
