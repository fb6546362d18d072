import type { ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import type { PeersService } from '../peers/api.ts';
import { CONTACT_FACTS, followed, followerChanged, unfollowed } from './api.ts';
import type { ContactFacts, Relation } from './api.ts';
import type { ProfileRecord } from './profile-record.ts';
import type { Profiles } from './profiles.ts';
import type { Relations } from './relations.ts';

interface ContactsDeps {
  readonly ctx: ContextBase;
  readonly relations: Relations;
  readonly profiles: Profiles;
  readonly peers: Ref<PeersService>;
  /** The followee, when connected, is to hear of it (and nobody else). */
  tellFollowee(nodeId: NodeId): Promise<void>;
}

/** The people around the user: whom it follows, who follows it, what they are called. */
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
    return this.#relation(nodeId) === 'mutual';
  }

  profile(nodeId: NodeId): ProfileRecord | undefined {
    return this.#deps.profiles.get(nodeId);
  }

  displayName(nodeId: NodeId): string | undefined {
    return this.profile(nodeId)?.name || undefined;
  }

  /** Where it is, as far as anybody here knows. */
  facts(nodeId: NodeId): ContactFacts | undefined {
    const [source] = this.#deps.ctx.contributions(CONTACT_FACTS);
    return source?.ask((facts) => facts(nodeId), undefined);
  }

  /** Who is connected at this moment; nobody while peers is off. */
  async online(): Promise<ReadonlySet<NodeId>> {
    const { peers, ctx } = this.#deps;
    const present = await peers.tryUse((service) => service.peers(), { signal: ctx.signal });
    return new Set((present ?? []).map(({ peer }) => peer.nodeId));
  }

  /** Follows a node; resolves when that is on disk. Again is no error. */
  async follow(nodeId: NodeId, addresses: readonly string[]): Promise<void> {
    const { ctx, relations } = this.#deps;
    const isNew = relations.follow(nodeId, ctx.clock.now());
    if (isNew) {
      ctx.counters.add('followed');
      ctx.emit(followed, { nodeId, relation: relations.isFollower(nodeId) ? 'mutual' : 'follow', addresses });
    }
    await ctx.db.synced();
    if (isNew) await this.#deps.tellFollowee(nodeId);
  }

  /** Resolves when it is on disk: with false when the node was not followed. */
  async unfollow(nodeId: NodeId): Promise<boolean> {
    const { ctx, relations } = this.#deps;
    if (!relations.unfollow(nodeId)) return false;
    ctx.counters.add('unfollowed');
    ctx.emit(unfollowed, { nodeId, relation: this.#relation(nodeId) });
    await ctx.db.synced();
    await this.#deps.tellFollowee(nodeId);
    return true;
  }

  /** A node said whether it follows the user. */
  heardFollowing(nodeId: NodeId, following: boolean): void {
    const { ctx, relations } = this.#deps;
    if (nodeId === ctx.self.nodeId) return;
    const outcome = relations.setFollower(nodeId, following, ctx.clock.now());
    if (outcome === 'full') ctx.counters.add('followers-full');
    if (outcome === 'changed') ctx.emit(followerChanged, { nodeId, following, relation: this.#relation(nodeId) });
  }

  #relation(nodeId: NodeId): Relation | undefined {
    const { relations } = this.#deps;
    if (relations.isFollowing(nodeId)) return relations.isFollower(nodeId) ? 'mutual' : 'follow';
    return relations.isFollower(nodeId) ? 'audience' : undefined;
  }
}
