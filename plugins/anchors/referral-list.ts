import { NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Network, NodeId, Static } from '../../kernel/index.ts';
import { countedAs } from './address-rules.ts';

/** REFERRAL_DISCONNECT_GRACE (ANCH-20). */
const GRACE_MS = 120_000;
/** Nodes that may wait at once; a further one takes the place of the most used. */
export const WAITING_MAX = 1_000;
/** Nodes of one address block that may wait at once, a /48 four times as many, so that no machine fills the list. */
export const WAITING_PER_BLOCK_MAX = 64;
/** Nodes given to one request. */
export const HANDED_OUT_MAX = 10;

export const Entry = Type.Object({
  node_id: NodeIdSchema,
  addresses: Type.Array(Type.String()),
  use_count: Type.Integer(),
  /** Ms since the epoch; 0 while it is connected. */
  disconnected_at: Type.Integer(),
  /** To whom it was given: asking again gives no further one and costs no further use. */
  given_to: Type.Array(NodeIdSchema),
});
export type Entry = Static<typeof Entry>;

/** Who waits to be introduced, in memory only (ANCH-18). */
export class ReferralList {
  readonly #entries = new Map<NodeId, Entry>();
  readonly #network: Pick<Network, 'blocksOf'>;

  constructor(network: Pick<Network, 'blocksOf'>) {
    this.#network = network;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How often one entry is given out: the longer the list, the less each needs (ANCH-19). */
  get usesMax(): number {
    if (this.size >= 100) return 1;
    return this.size >= 50 ? 2 : 3;
  }

  has(nodeId: NodeId): boolean {
    return this.#entries.has(nodeId);
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  restore(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.set(entry.node_id, { ...entry });
  }

  /**
   * Puts a node on the list, or brings its addresses up to date: its uses stay, so that registering
   * again gains nothing. False when its machine has its share of the list already.
   */
  register(nodeId: NodeId, addresses: readonly string[], nowMs: number): boolean {
    this.prune(nowMs);
    const known = this.#entries.get(nodeId);
    if (known !== undefined) {
      known.addresses = [...addresses];
      known.disconnected_at = 0;
      return true;
    }
    const blocksOf = ([first = '']: readonly string[]) => countedAs(this.#network, first);
    const waiting = this.entries().flatMap((entry) => blocksOf(entry.addresses).map(({ name }) => name));
    const isFull = blocksOf(addresses).some(
      ({ name, shares }) => waiting.filter((one) => one === name).length >= WAITING_PER_BLOCK_MAX * shares,
    );
    if (isFull) return false;
    if (this.size >= WAITING_MAX) {
      const mostUsed = this.#leastUsedFirst().at(-1);
      if (mostUsed !== undefined) this.#entries.delete(mostUsed.node_id);
    }
    this.#entries.set(nodeId, {
      node_id: nodeId,
      addresses: [...addresses],
      use_count: 0,
      disconnected_at: 0,
      given_to: [],
    });
    return true;
  }

  disconnected(nodeId: NodeId, nowMs: number): void {
    const entry = this.#entries.get(nodeId);
    if (entry !== undefined) entry.disconnected_at = nowMs;
  }

  reconnected(nodeId: NodeId): void {
    const entry = this.#entries.get(nodeId);
    if (entry !== undefined) entry.disconnected_at = 0;
  }

  /**
   * The least used entries for one who asks (ANCH-21), each use counted; what has reached its cap is
   * released. Who asks again gets the same ones first, which costs them no further use.
   */
  handOut(to: NodeId, nowMs: number): readonly Entry[] {
    this.prune(nowMs);
    const usesMax = this.usesMax;
    const others = this.#leastUsedFirst().filter(({ node_id }) => node_id !== to);
    const again = others.filter(({ given_to }) => given_to.includes(to)).slice(0, HANDED_OUT_MAX);
    const fresh = others
      .filter(({ use_count, given_to }) => use_count < usesMax && !given_to.includes(to))
      .slice(0, HANDED_OUT_MAX - again.length);
    for (const entry of fresh) {
      entry.use_count++;
      entry.given_to = [...entry.given_to, to];
    }
    // Copies: one that is released now is still told to this requester.
    const handed = [...again, ...fresh].map((entry) => ({ ...entry }));
    this.#release(usesMax);
    return handed;
  }

  /** Drops who is away for longer than the grace. */
  prune(nowMs: number): void {
    for (const [nodeId, { disconnected_at }] of this.#entries) {
      if (disconnected_at !== 0 && nowMs - disconnected_at >= GRACE_MS) this.#entries.delete(nodeId);
    }
  }

  /** By the cap that counted when they were handed out: releasing some must not raise it for the others. */
  #release(usesMax: number): void {
    for (const [nodeId, { use_count }] of this.#entries) {
      if (use_count >= usesMax) this.#entries.delete(nodeId);
    }
  }

  #leastUsedFirst(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => a.use_count - b.use_count);
  }
}
