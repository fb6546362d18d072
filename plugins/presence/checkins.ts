import { codeOf } from '../../kernel/index.ts';
import type { NodeId, ContextBase } from '../../kernel/index.ts';
import { ASKS_MAX, socialCheckin } from './messages.ts';
import type { OwnAddress } from './own-address.ts';
import type { Route, Routes } from './routes.ts';
import type { Presence } from './presence.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** CYC-13: from 1 to 3 hours apart, so that contacts do not all come at once. */
const PAUSE_MIN_MS = HOUR_MS;
const PAUSE_SPREAD_MS = 2 * HOUR_MS;
/** A contact away for so long is looked for once a day, and after the second not at all (H16). */
export const DAILY_AFTER_MS = 7 * DAY_MS;
export const GIVEN_UP_AFTER_MS = 30 * DAY_MS;
/** Word that a contact is back does not bring a check-in closer to the last one than this. */
const SEEK_PAUSE_MS = 10 * 60_000;
/** Check-ins running at once; the rest wait for the next minute. */
const RUNNING_MAX = 8;
/** Preferred peers of a missing contact that are asked about it in one round. */
const ASKED_MAX = 3;
/** Finding a contact may take every step of a lookup. */
const REACH_LIMIT_MS = 60_000;

interface CheckinsDeps {
  readonly ctx: ContextBase;
  followedAtMs(nodeId: NodeId): number | undefined;
  readonly routes: Routes;
  readonly presence: Presence;
  readonly own: OwnAddress;
  /** The preferred peers of this node and theirs. */
  preferredTree(): NodeId[];
  isPeer(nodeId: NodeId): boolean;
  takes(nodeId: NodeId, message: string): boolean;
  /** Connects to a contact by whatever way there is. Rejects when there is none. */
  connect(nodeId: NodeId, limitMs: number): Promise<void>;
}

/**
 * The sign of life between contacts (CYC-13). The follower makes it, and it serves both sides; for a
 * contact that is away it looks for it and asks its preferred peers, who then tell of its return.
 */
export class Checkins {
  readonly #deps: CheckinsDeps;
  readonly #running = new Set<NodeId>();
  /** When the last one with a contact began. Kept for contacts only, so the follows are its cap. */
  readonly #lastMs = new Map<NodeId, number>();

  constructor(deps: CheckinsDeps) {
    this.#deps = deps;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Starts what is due; to be called once a minute. */
  tick(): void {
    const { ctx, routes } = this.#deps;
    const now = ctx.clock.now();
    for (const route of routes.due(now, 4 * RUNNING_MAX)) {
      if (this.#running.size >= RUNNING_MAX) return;
      if (!this.#running.has(route.nodeId)) ctx.background('check-in', this.#run(route));
    }
  }

  /** Somebody is connected to it now, however long it was away. */
  foundElsewhere(nodeId: NodeId): void {
    const { ctx, routes } = this.#deps;
    const route = routes.get(nodeId);
    if (route === undefined || route.relation === 'audience') return;
    const dueMs = Math.max(ctx.clock.now(), (this.#lastMs.get(nodeId) ?? 0) + SEEK_PAUSE_MS);
    if (dueMs < route.checkinDueMs) routes.setCheckinDue(nodeId, dueMs);
  }

  /** A check-in in the other direction has served both, or the contact has just connected. */
  served(nodeId: NodeId): void {
    const { ctx, routes } = this.#deps;
    const route = routes.get(nodeId);
    if (route === undefined || route.relation === 'audience') return;
    this.#lastMs.set(nodeId, ctx.clock.now());
    routes.setCheckinDue(nodeId, ctx.clock.now() + this.#pauseMs(0));
  }

  forget(nodeId: NodeId): void {
    this.#lastMs.delete(nodeId);
  }

  async #run(route: Route): Promise<void> {
    const { ctx, routes } = this.#deps;
    const { nodeId } = route;
    const now = ctx.clock.now();
    const awayMs = this.#awayMs(route);
    if (awayMs >= GIVEN_UP_AFTER_MS) return routes.setCheckinDue(nodeId, Number.MAX_SAFE_INTEGER);
    this.#running.add(nodeId);
    this.#lastMs.set(nodeId, now);
    try {
      routes.setCheckinDue(nodeId, now + this.#pauseMs(awayMs));
      if (!this.#deps.isPeer(nodeId)) await this.#deps.connect(nodeId, REACH_LIMIT_MS);
      await this.#exchange(nodeId, []);
      ctx.counters.add('checkins-made');
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.counters.add(`checkins-failed.${codeOf(error)}`);
      if (!this.#deps.isPeer(nodeId)) await this.#askAbout(route);
    } finally {
      this.#running.delete(nodeId);
    }
  }

  /** Only those whom the contact itself named learn that the user looks for it. */
  async #askAbout({ nodeId, nplus10 }: Route): Promise<void> {
    const { ctx } = this.#deps;
    const here = nplus10.filter((peer) => peer !== nodeId && peer !== ctx.self.nodeId && this.#deps.isPeer(peer));
    for (const peer of here.slice(0, ASKED_MAX)) {
      try {
        await this.#exchange(peer, [nodeId]);
        ctx.counters.add('contacts-asked-about');
      } catch (error) {
        if (ctx.signal.aborted) return;
        ctx.counters.add(`asks-failed.${codeOf(error)}`);
      }
    }
  }

  async #exchange(peer: NodeId, asks: readonly NodeId[]): Promise<void> {
    const { ctx, presence, own } = this.#deps;
    if (!this.#deps.takes(peer, socialCheckin.name)) return;
    const preferred_tree = this.#deps.preferredTree();
    const body = { record: own.current(), asks: asks.slice(0, ASKS_MAX), preferred_tree };
    const answer = await ctx.send(peer, socialCheckin, body, { signal: ctx.signal });
    if (answer.record.node_id === peer) presence.learn(answer.record, peer);
    presence.learnTree(peer, answer.preferred_tree ?? []);
    for (const one of answer.answers) {
      if (asks.includes(one.node_id)) presence.heard(one, peer);
      else ctx.counters.add('answers-unasked');
    }
  }

  #awayMs(route: Route): number {
    if (this.#deps.isPeer(route.nodeId)) return 0;
    const seenMs = Math.max(route.lastConnectedMs, this.#deps.followedAtMs(route.nodeId) ?? 0);
    return this.#deps.ctx.clock.now() - seenMs;
  }

  #pauseMs(awayMs: number): number {
    const spread = this.#deps.ctx.random.float();
    // A little off a day, so that it moves through the hours at which the contact may be up.
    if (awayMs >= DAILY_AFTER_MS) return DAY_MS * (0.95 + spread / 10);
    return PAUSE_MIN_MS + PAUSE_SPREAD_MS * spread;
  }
}
