import type { NodeId, PluginContext, Ref } from '../../kernel/index.ts';
import type { MeshService } from '../mesh/api.ts';
import { followed, followerChanged, unfollowed } from './api.ts';
import type { ProfileRecord } from './profile-record.ts';
import type { Profiles } from './profiles.ts';
import type { Relations } from './relations.ts';
import type { Routes } from './routes.ts';

interface ContactsDeps {
  // biome-ignore lint/suspicious/noExplicitAny: only the parts every context has
  readonly ctx: PluginContext<any, any>;
  readonly relations: Relations;
  readonly profiles: Profiles;
  readonly routes: Routes;
  mesh(): Ref<MeshService> | undefined;
  /** The followee, when connected, is to hear of it (and nobody else). */
  tellFollowee(nodeId: NodeId): Promise<void>;
}

/** The people around the user: whom it follows, who follows it, what they are called, where they are. */
export class Contacts {
  readonly #deps: ContactsDeps;

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

  lastOnlineMs(nodeId: NodeId): number | undefined {
    return this.#deps.routes.get(nodeId)?.lastConnectedMs || undefined;
  }

  /** Who is connected at this moment; nobody while mesh is off. */
  async online(): Promise<ReadonlySet<NodeId>> {
    const peers = await this.#withMesh((service) => service.peers());
    return new Set((peers ?? []).map(({ peer }) => peer.nodeId));
  }

  /** Follows a node and keeps it reachable where an address is known. Again is no error. */
  async follow(nodeId: NodeId, addresses: readonly string[]): Promise<void> {
    const { ctx, relations, routes } = this.#deps;
    const fresh = ctx.db.transaction(() => {
      const added = relations.follow(nodeId, ctx.clock.now());
      if (added) routes.add(nodeId, relations.isFollower(nodeId), addresses);
      return added;
    });
    if (fresh) {
      ctx.counters.add('followed');
      ctx.emit(followed, { nodeId });
    }
    await this.#withMesh((service) => {
      service.keepReachable(nodeId, addresses);
      if (service.isPeer(nodeId)) routes.online(nodeId, service.addresses(nodeId), ctx.clock.now());
    });
    if (fresh) await this.#deps.tellFollowee(nodeId);
  }

  /** False when the node was not followed. */
  async unfollow(nodeId: NodeId): Promise<boolean> {
    const { ctx, relations, routes } = this.#deps;
    const removed = ctx.db.transaction(() => {
      routes.remove(nodeId);
      return relations.unfollow(nodeId);
    });
    if (!removed) return false;
    ctx.counters.add('unfollowed');
    ctx.emit(unfollowed, { nodeId });
    await this.#withMesh((service) => service.forget(nodeId));
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
    routes.setMutual(nodeId, following);
    ctx.emit(followerChanged, { nodeId, following });
  }

  /** Tells mesh again whom to keep, and takes from it who is here: at start, and when mesh is new. */
  async reconcile(): Promise<void> {
    const { relations, routes } = this.#deps;
    await this.#withMesh((service) => {
      for (const nodeId of relations.follows()) service.keepReachable(nodeId, routes.get(nodeId)?.addresses ?? []);
    });
    const online = await this.online();
    routes.onlyOnline(online);
    for (const nodeId of online) await this.cameOnline(nodeId);
  }

  async cameOnline(nodeId: NodeId): Promise<void> {
    const { ctx, relations, routes } = this.#deps;
    if (!relations.isFollowing(nodeId)) return;
    const addresses = await this.#withMesh((service) => service.addresses(nodeId));
    routes.online(nodeId, addresses ?? [], ctx.clock.now());
  }

  async wentOffline(nodeId: NodeId): Promise<void> {
    if (!(await this.online()).has(nodeId)) this.#deps.routes.offline(nodeId, this.nowMs());
  }

  async #withMesh<R>(call: (service: MeshService) => R): Promise<Awaited<R> | undefined> {
    return this.#deps.mesh()?.use(call, { signal: this.#deps.ctx.signal });
  }
}
