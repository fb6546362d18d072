import { codeOf, linkSignals, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';
import { WANTED_MAX } from './peer-store.ts';
import type { PeerStore } from './peer-store.ts';
import type { PeersContext } from './context.ts';
import type { Connector } from './connector.ts';
import { peersErrors } from './errors.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';

/** Dials running at once for redialling; the rest wait their turn in order of their due time. */
const DIALS_MAX = 8;
/** A connection that lived so long was a good one: the next dial after it starts with the shortest wait. */
const STABLE_MS = 30_000;
/** Who was here when the node stopped: as many as a mesh may have slots. */
const RETURN_MAX = 1_000;
/** Rule of the single dial of {@link ReconnectQueue.planReturn}. */
const RETURN_RULE = 'it was connected when this node stopped';
/** A peer whose user disconnected us, or that is full, is left alone for so long. */
export const DECLINED_MS = 15 * 60_000;
const DECLINES = new Set(['user-request', 'mesh-full', 'over-capacity', 'misbehaviour', 'incompatible']);

export const Plan = Type.Object({
  nodeId: NodeIdSchema,
  failures: Type.Integer(),
  nextAtMs: Type.Integer(),
  /** The rule that set the time, for `peer explain`. */
  rule: Type.String(),
});
export type Plan = Static<typeof Plan>;

interface Wake {
  readonly atMs: number;
  readonly cancel: AbortController;
}

/**
 * Brings remembered peers back. Attempts never pile up: a node is redialled when no dial to it is under
 * way. Waits double with each failure and are drawn at random so that a crowd spreads out.
 */
export class ReconnectQueue {
  readonly #peers: PeersContext;
  readonly #store: PeerStore;
  readonly #sessions: PeerSessions;
  readonly #connector: Connector;
  readonly #plans = new Map<NodeId, Plan>();
  #dialling = 0;
  #leftOnline: readonly NodeId[] = [];
  /** The next {@link #tick}; an idle node sets no timer. */
  #wake: Wake | undefined;
  #started = false;

  constructor(peers: PeersContext, store: PeerStore, sessions: PeerSessions, connector: Connector) {
    this.#peers = peers;
    this.#store = store;
    this.#sessions = sessions;
    this.#connector = connector;
  }

  plan(nodeId: NodeId): Plan | undefined {
    return this.#plans.get(nodeId);
  }

  plans(): Plan[] {
    return [...this.#plans.values()];
  }

  get dialling(): number {
    return this.#dialling;
  }

  restore(plans: readonly Plan[]): void {
    for (const plan of plans) this.#plans.set(plan.nodeId, plan);
  }

  /** Plans a dial for everyone wanted who is not here: at a start and after a swap. */
  planMissing(): void {
    for (const nodeId of this.#store.wanted()) this.want(nodeId);
  }

  /** Reads who was a peer when this node stopped, before anybody is a peer again. */
  startAnew(): void {
    this.#leftOnline = this.#store.takeLeftOnline(RETURN_MAX);
  }

  /**
   * One dial for each who was a peer when this node stopped, wanted or not, `limit` at most: to them our old
   * connections look alive until they time out, which after a crash takes 40 s.
   */
  planReturn(limit: number): void {
    for (const nodeId of this.#leftOnline.slice(0, limit)) {
      if (this.#isAway(nodeId)) this.#set(nodeId, 0, this.#wait(0), RETURN_RULE);
    }
    this.#leftOnline = [];
  }

  /** Plans a dial soon, unless the node is connected or planned already. */
  want(nodeId: NodeId): void {
    if (this.#plans.has(nodeId) || this.#sessions.readyOf(nodeId).length > 0 || !this.#store.isWanted(nodeId)) return;
    this.#set(nodeId, 0, this.#wait(0), 'remembered');
  }

  /** Drops what is planned: the node is forgotten or held off. */
  cancel(nodeId: NodeId): void {
    this.#plans.delete(nodeId);
  }

  /** A connection ended; decides whether and when to dial again. */
  closed(session: PeerSession, reason: string, byPeer: boolean): void {
    const nodeId = session.nodeId;
    // A dial under way decides for itself when it fails.
    if (!this.#isAway(nodeId) || !this.#store.isWanted(nodeId)) return;
    const livedMs = session.state === 'ready' ? this.#peers.ctx.clock.now() - session.readyAtMs : 0;
    const failures = livedMs >= STABLE_MS ? 0 : (this.#plans.get(nodeId)?.failures ?? 0) + 1;
    if (byPeer && DECLINES.has(reason)) this.#set(nodeId, failures, DECLINED_MS, `peer said ${reason}`);
    else this.#set(nodeId, failures, this.#wait(failures - 1), `connection ended: ${reason}`);
  }

  /** Starts dialling what is planned; nobody is dialled before. Once, when connections are in place. */
  start(): void {
    this.#started = true;
    this.#arm();
  }

  #tick(): void {
    const now = this.#peers.ctx.clock.now();
    const due = this.plans()
      .filter((plan) => plan.nextAtMs <= now && this.#isAway(plan.nodeId))
      .sort((a, b) => a.nextAtMs - b.nextAtMs);
    for (const { nodeId } of due) {
      if (this.#dialling >= DIALS_MAX) break;
      this.#peers.ctx.background('redial', this.#redial(nodeId));
    }
    this.#arm();
  }

  /** Sleeps until the earliest plan is due. Whoever ends a dial, or sets a plan, calls it again. */
  #arm(): void {
    if (!this.#started || this.#dialling >= DIALS_MAX) return;
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const plan of this.#plans.values()) {
      if (plan.nextAtMs < nextAtMs && this.#isAway(plan.nodeId)) nextAtMs = plan.nextAtMs;
    }
    if (nextAtMs >= (this.#wake?.atMs ?? Number.POSITIVE_INFINITY)) return;
    this.#wake?.cancel.abort();
    this.#wake = { atMs: nextAtMs, cancel: new AbortController() };
    this.#peers.ctx.background('redial', this.#sleep(this.#wake));
  }

  async #sleep({ atMs, cancel }: Wake): Promise<void> {
    const { clock, signal } = this.#peers.ctx;
    const linked = linkSignals([signal, cancel.signal]);
    try {
      await clock.sleep(Math.max(0, atMs - clock.now()), linked.signal);
    } catch (error) {
      // An earlier one takes its place.
      if (cancel.signal.aborted) return;
      throw error;
    } finally {
      linked.dispose();
    }
    this.#wake = undefined;
    this.#tick();
  }

  /** A dial to the node has ended, whoever made it: its plan may be due again. */
  dialled(): void {
    this.#peers.ctx.background(
      'redial',
      Promise.resolve().then(() => this.#arm()),
    );
  }

  async #redial(nodeId: NodeId): Promise<void> {
    const known = this.#store.get(nodeId);
    const wanted = this.#store.isWanted(nodeId);
    const due = wanted || this.#plans.get(nodeId)?.rule === RETURN_RULE;
    const addresses = known?.addresses ?? [];
    if (!wanted || addresses.length === 0) this.cancel(nodeId);
    if (!due || addresses.length === 0) return;
    this.#dialling++;
    try {
      // The plan stays, so that a connection that fails at once again goes on with its longer waits.
      await this.#connector.connectKnown(nodeId, { purpose: 'redial', signal: this.#peers.ctx.signal });
    } catch (error) {
      if (this.#peers.ctx.signal.aborted || !wanted) return;
      const failures = (this.#plans.get(nodeId)?.failures ?? 0) + 1;
      const code = codeOf(error);
      const isSpent = code === peersErrors.code('over-budget');
      const rule = isSpent ? 'its addresses were dialled in vain too often' : `dial failed: ${code}`;
      this.#set(nodeId, failures, this.#wait(failures), rule);
    } finally {
      this.#dialling--;
    }
  }

  #isAway(nodeId: NodeId): boolean {
    if (this.#sessions.readyOf(nodeId).length > 0) return false;
    return !this.#connector.isDialling(nodeId);
  }

  /** From half to the whole of the doubled base wait. */
  #wait(failures: number): number {
    const { redialBaseMs, redialMaxMs } = this.#peers.ctx.config;
    const longest = Math.min(redialMaxMs, redialBaseMs * 2 ** Math.min(Math.max(failures, 0), 20));
    return longest * (0.5 + this.#peers.ctx.random.float() / 2);
  }

  #set(nodeId: NodeId, failures: number, waitMs: number, rule: string): void {
    if (!this.#plans.has(nodeId) && this.#plans.size >= WANTED_MAX) {
      this.#peers.ctx.counters.add('redial-plans-full');
      return;
    }
    const nextAtMs = Math.ceil(this.#peers.ctx.clock.now() + waitMs);
    this.#plans.set(nodeId, { nodeId, failures, nextAtMs, rule });
    this.#arm();
  }
}
