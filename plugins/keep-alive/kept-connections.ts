import { codeOf, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Network, NodeId, PluginContext, Static } from '../../kernel/index.ts';
import { NEED_REASONS, sessionKept, sessionReleased } from './api.ts';
import type { Need } from './api.ts';
import { sessionsMax } from './config.ts';
import type { KeepAliveConfig } from './config.ts';
import type { Dialler, Try } from './dialler.ts';
import { keepAliveRequest } from './messages.ts';
import { rank } from './needs.ts';
import type { ReachabilitySnapshot, Way } from './reachability-snapshot.ts';

/** KEEP-04: a node out of sight for so many checks in a row gets a session. */
export const ABSENT_CHECKS = 3;
/** H19: and loses it once it was in sight without it for so many. */
export const NEAR_CHECKS = 10;
/** Sessions being opened at once. */
const OPENING_MAX = 4;
/** After a failure the next attempt waits this long, doubled with each failure up to the second. */
const RETRY_BASE_MS = 3 * 60_000;
const RETRY_MAX_MS = 3 * 3_600_000;

export const KeptConnection = Type.Object({
  target: NodeIdSchema,
  host: NodeIdSchema,
  connectionId: Type.Integer(),
  reason: Type.Enum([...NEED_REASONS]),
  nearChecks: Type.Integer(),
});
export type KeptConnection = Static<typeof KeptConnection>;

/** What was seen of one needed node. */
export interface Sight {
  absentChecks: number;
  way: Way;
  failures: number;
  retryAtMs: number;
  tries: readonly Try[];
}

interface SessionsDeps {
  readonly ctx: PluginContext<KeepAliveConfig, Record<never, never>>;
  readonly network: Network;
  readonly dialler: Dialler;
}

/** Decides at each check which needed nodes get a session and which lose theirs. */
export class KeptConnections {
  readonly #deps: SessionsDeps;
  /** By target. Needed nodes are its cap, and the ceiling. */
  readonly #sessions = new Map<NodeId, KeptConnection>();
  readonly #sights = new Map<NodeId, Sight>();
  readonly #opening = new Set<NodeId>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  all(): readonly KeptConnection[] {
    return [...this.#sessions.values()];
  }

  get(target: NodeId): KeptConnection | undefined {
    return this.#sessions.get(target);
  }

  sight(target: NodeId): Sight | undefined {
    return this.#sights.get(target);
  }

  isOutOfSight(target: NodeId): boolean {
    return (this.#sights.get(target)?.absentChecks ?? 0) > 0;
  }

  restore(sessions: readonly KeptConnection[]): void {
    for (const session of sessions) this.#sessions.set(session.target, { ...session });
  }

  /** `needs` the most important first. Returns the attempts it started, for who wants to wait. */
  check(needs: readonly Need[], around: ReachabilitySnapshot): Promise<unknown> {
    const { ctx } = this.#deps;
    const wanted = new Map(needs.map((need) => [need.nodeId, need]));
    for (const target of this.#sights.keys()) if (!wanted.has(target)) this.#sights.delete(target);
    for (const session of this.all()) this.#review(session, wanted.get(session.target), around);
    const attempts: Promise<void>[] = [];
    for (const need of needs) {
      if (this.#sessions.has(need.nodeId)) continue;
      const sight = this.#look(need, around);
      if (sight.absentChecks < ABSENT_CHECKS || this.#opening.has(need.nodeId)) continue;
      if (ctx.clock.now() < sight.retryAtMs || this.#opening.size >= OPENING_MAX) continue;
      if (!this.#makeRoom(need)) {
        ctx.counters.add('at-ceiling');
        continue;
      }
      attempts.push(this.#open(need, sight, around));
    }
    return Promise.all(attempts);
  }

  /** A connection has ended. */
  lost(connectionId: number): void {
    for (const session of this.all()) {
      if (session.connectionId === connectionId) this.#forget(session, 'connection ended');
    }
  }

  /** Keep-alives of both directions, the host's included. */
  count(): number {
    return this.#deps.network.connections().filter(({ kind }) => kind === 'keep-alive').length;
  }

  isFull(): boolean {
    return this.count() + this.#opening.size >= sessionsMax(this.#deps.ctx.config);
  }

  #look(need: Need, around: ReachabilitySnapshot): Sight {
    const sight = this.#sights.get(need.nodeId) ?? {
      absentChecks: 0,
      way: undefined,
      failures: 0,
      retryAtMs: 0,
      tries: [],
    };
    this.#sights.set(need.nodeId, sight);
    sight.way = around.wayTo(need);
    sight.absentChecks = sight.way === undefined ? sight.absentChecks + 1 : 0;
    if (sight.way !== undefined) sight.failures = 0;
    return sight;
  }

  #review(session: KeptConnection, need: Need | undefined, around: ReachabilitySnapshot): void {
    const connection = this.#deps.network.connection(session.connectionId);
    if (connection === undefined) this.#forget(session, 'connection ended');
    // Mesh gave it a slot: it lasts without us, and is not ours to give up.
    else if (connection.kind === 'mesh') this.#forget(session, 'part of the mesh');
    else if (need === undefined) this.#release(session, 'not needed any more');
    else {
      session.reason = need.reason;
      const way = around.wayTo(need, session.host);
      const sight = this.#sights.get(need.nodeId);
      if (sight !== undefined) sight.way = way;
      session.nearChecks = way === undefined ? 0 : session.nearChecks + 1;
      if (session.nearChecks >= NEAR_CHECKS) this.#release(session, 'in sight without it');
    }
  }

  /** Near the ceiling less important sessions are closed first (KEEP-08). False when there are none. */
  #makeRoom(need: Need): boolean {
    if (!this.isFull()) return true;
    const least = this.all().reduce<KeptConnection | undefined>(
      (worst, session) => (worst === undefined || rank(session) > rank(worst) ? session : worst),
      undefined,
    );
    if (least === undefined || rank(least) <= rank(need)) return false;
    this.#release(least, 'gave way to a more important one');
    return !this.isFull();
  }

  async #open(need: Need, sight: Sight, around: ReachabilitySnapshot): Promise<void> {
    const { ctx, network, dialler } = this.#deps;
    const { nodeId, reason } = need;
    this.#opening.add(nodeId);
    try {
      const { host, connectionId, tries } = await dialler.open(need, around);
      sight.tries = tries;
      const connection = network.connection(connectionId);
      if (host === undefined || connection === undefined) {
        sight.failures += 1;
        const waitMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (sight.failures - 1));
        sight.retryAtMs = ctx.clock.now() + waitMs * (0.75 + ctx.random.float() / 2);
        ctx.counters.add('sessions-failed');
        return;
      }
      sight.failures = 0;
      sight.absentChecks = 0;
      if (connection.kind === 'mesh') return;
      network.setKind(connectionId, 'keep-alive');
      this.#sessions.set(nodeId, { target: nodeId, host, connectionId, reason, nearChecks: 0 });
      ctx.counters.add('sessions-kept');
      ctx.log.info('session-kept', { target: nodeId, host, tries });
      ctx.emit(sessionKept, { target: nodeId, host });
    } catch (error) {
      if (!ctx.signal.aborted) ctx.log.warn('session-failed', { target: nodeId, code: codeOf(error), error });
    } finally {
      this.#opening.delete(nodeId);
    }
  }

  #release(session: KeptConnection, reason: string): void {
    const { ctx, network } = this.#deps;
    this.#forget(session, reason);
    // Another needed node may hang on the same connection.
    if (this.all().some(({ connectionId }) => connectionId === session.connectionId)) return;
    if (network.connection(session.connectionId)?.kind === 'keep-alive')
      network.setKind(session.connectionId, 'session');
    const body = { target: session.target, keep: false };
    ctx
      .send(session.host, keepAliveRequest, body, { signal: ctx.signal, connectionId: session.connectionId })
      .catch((error) => ctx.counters.add(`release-failed.${codeOf(error)}`));
  }

  #forget(session: KeptConnection, reason: string): void {
    const target = session.target;
    this.#sessions.delete(target);
    this.#deps.ctx.counters.add('sessions-released');
    this.#deps.ctx.emit(sessionReleased, { target, host: session.host, reason });
  }
}
