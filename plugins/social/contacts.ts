import type { NodeId, ContextBase, Ref } from '../../kernel/index.ts';
import type { PeersService } from '../peers/api.ts';
import type { RoutingService } from '../routing/api.ts';
import { followed, followerChanged, unfollowed } from './api.ts';
import type { SocialRoute } from './api.ts';
import type { ProfileRecord } from './profile-record.ts';
import type { Profiles } from './profiles.ts';
import type { Relations } from './relations.ts';
import type { Routes } from './routes.ts';

/** A followee is redialled without pause for so long after it was last here; after that by check-ins. */
export const KEPT_AFTER_MS = 3_600_000;
/** Followees redialled so, the latest seen first: each may become a connection of its own. */
export const KEPT_MAX = 250;

interface ContactsDeps {
  readonly ctx: ContextBase;
  readonly relations: Relations;
  readonly profiles: Profiles;
  readonly routes: Routes;
  readonly peers: Ref<PeersService>;
  readonly routing: Ref<RoutingService>;
  /** The followee, when connected, is to hear of it (and nobody else). */
  tellFollowee(nodeId: NodeId): Promise<void>;
  /** What is known of a contact has changed. */
  changed(nodeId: NodeId): void;
}

/** The people around the user: whom it follows, who follows it, what they are called, where they are. */
export class Contacts {
  readonly #deps: ContactsDeps;
  /** Whom peers is redialling for us; `undefined` until it was told. */
  #kept: ReadonlySet<NodeId> | undefined;

  constructor(deps: ContactsDeps) {
    this.#deps = deps;
  }

  nowMs(): number {
    return this.#deps.ctx.clock.now();
  }

  follows(): readonly NodeId[] {
    return this.#deps.relations.follows();
  }

  isFollowing(nodeId: NodeId): boolean {
    return this.#deps.relations.isFollowing(nodeId);
  }

  followedAtMs(nodeId: NodeId): number {
    return this.#deps.relations.followedAtMs(nodeId) ?? 0;
  }

  latestFollowers(limit: number): readonly { readonly nodeId: NodeId; readonly sinceMs: number }[] {
    return this.#deps.relations.latestFollowers(limit);
  }

  countFollowers(): number {
    return this.#deps.relations.countFollowers();
  }

  isFriend(nodeId: NodeId): boolean {
    return this.#deps.relations.isFollowing(nodeId) && this.#deps.relations.isFollower(nodeId);
  }

  profile(nodeId: NodeId): ProfileRecord | undefined {
    return this.#deps.profiles.get(nodeId);
  }

  displayName(nodeId: NodeId): string | undefined {
    return this.profile(nodeId)?.name || undefined;
  }

  route(nodeId: NodeId): SocialRoute | undefined {
    return this.#deps.routes.get(nodeId);
  }

  lastOnlineMs(nodeId: NodeId): number | undefined {
    return this.#deps.routes.get(nodeId)?.lastConnectedMs || undefined;
  }

  /** Who is connected at this moment; nobody while peers is off. */
  async online(): Promise<ReadonlySet<NodeId>> {
    const peers = await this.#withPeers((service) => service.peers());
    return new Set((peers ?? []).map(({ peer }) => peer.nodeId));
  }

  /** Follows a node and keeps it reachable where an address is known. Again is no error. */
  async follow(nodeId: NodeId, addresses: readonly string[]): Promise<void> {
    const { ctx, relations, routes } = this.#deps;
    const fresh = ctx.db.transaction(() => {
      const added = relations.follow(nodeId, ctx.clock.now());
      if (added) routes.relate(nodeId, relations.isFollower(nodeId) ? 'mutual' : 'follow', addresses);
      return added;
    });
    if (fresh) {
      ctx.counters.add('followed');
      ctx.emit(followed, { nodeId });
    }
    await this.#withPeers((service) => {
      service.keepReachable(nodeId, addresses);
      if (this.#kept !== undefined) this.#kept = new Set([...this.#kept, nodeId]);
      if (service.isPeer(nodeId)) routes.online(nodeId, service.addresses(nodeId), ctx.clock.now());
    });
    if (fresh) await this.#deps.tellFollowee(nodeId);
  }

  /** False when the node was not followed. */
  async unfollow(nodeId: NodeId): Promise<boolean> {
    const { ctx, relations, routes } = this.#deps;
    const removed = ctx.db.transaction(() => {
      if (relations.isFollower(nodeId)) routes.relate(nodeId, 'audience');
      else routes.remove(nodeId);
      return relations.unfollow(nodeId);
    });
    if (!removed) return false;
    ctx.counters.add('unfollowed');
    ctx.emit(unfollowed, { nodeId });
    await this.#withPeers((service) => service.forget(nodeId));
    await this.#deps.tellFollowee(nodeId);
    return true;
  }

  /** A node said whether it follows the user. */
  heardFollowing(nodeId: NodeId, following: boolean): void {
    const { ctx, relations, routes } = this.#deps;
    if (nodeId === ctx.self.nodeId) return;
    const outcome = relations.setFollower(nodeId, following, ctx.clock.now());
    if (outcome === 'full') ctx.counters.add('followers-full');
    if (outcome !== 'changed') return;
    if (relations.isFollowing(nodeId)) routes.relate(nodeId, following ? 'mutual' : 'follow');
    else if (following) routes.relate(nodeId, 'audience');
    else routes.remove(nodeId);
    ctx.emit(followerChanged, { nodeId, following });
  }

  /** Tells peers again whom to keep, and takes from it who is here: at start, and when it comes. */
  async reconcile(): Promise<void> {
    this.#kept = undefined;
    const online = await this.online();
    this.#deps.routes.onlyOnline(online);
    for (const nodeId of online) await this.cameOnline(nodeId);
    await this.refreshKept();
  }

  /**
   * Tells peers whom to redial without pause from now on: those seen or followed of late, but for those
   * whom peers of ours report, who are found when they are wanted and need no connection of their own.
   */
  async refreshKept(): Promise<void> {
    const { relations, routes } = this.#deps;
    const sinceMs = this.nowMs() - KEPT_AFTER_MS;
    const online = await this.online();
    const recent = routes
      .all()
      .filter(({ nodeId, relation, lastConnectedMs }) => {
        if (relation === 'audience') return false;
        return online.has(nodeId) || lastConnectedMs > sinceMs || this.followedAtMs(nodeId) > sinceMs;
      })
      .slice(0, KEPT_MAX);
    const known = this.#kept;
    const { routing } = this.#deps;
    await this.#withPeers((service) => {
      const isReported = (nodeId: NodeId): boolean =>
        routing.ask((known) => known.reach(nodeId).n2Reporters.length > 0, false);
      const hidden = recent.filter(({ nodeId }) => !isReported(nodeId));
      const kept = new Set(hidden.map(({ nodeId }) => nodeId));
      for (const { nodeId, addresses } of hidden) {
        if (known?.has(nodeId) !== true) service.keepReachable(nodeId, addresses);
      }
      for (const nodeId of known ?? relations.follows()) if (!kept.has(nodeId)) service.forget(nodeId);
      this.#kept = kept;
    });
  }

  async cameOnline(nodeId: NodeId): Promise<void> {
    const { ctx, routes } = this.#deps;
    if (!routes.has(nodeId)) return;
    const addresses = await this.#withPeers((service) => service.addresses(nodeId));
    if (routes.online(nodeId, addresses ?? [], ctx.clock.now())) this.#deps.changed(nodeId);
  }

  async wentOffline(nodeId: NodeId): Promise<void> {
    if ((await this.online()).has(nodeId)) return;
    if (this.#deps.routes.offline(nodeId, this.nowMs())) this.#deps.changed(nodeId);
  }

  async #withPeers<R>(call: (service: PeersService) => R): Promise<Awaited<R> | undefined> {
    return this.#deps.peers.tryUse(call, { signal: this.#deps.ctx.signal });
  }
}
