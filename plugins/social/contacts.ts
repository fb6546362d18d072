import type { AddressBlock, ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import type { PeersService } from '../peers/api.ts';
import { CONTACT_FACTS, followed, followerChanged, unfollowed } from './api.ts';
import type { ContactFacts, Relation } from './api.ts';
import type { ProfileRecord } from './profile-record.ts';
import type { Profiles } from './profiles.ts';
import type { Follows } from './follows.ts';
import type { Followers } from './followers.ts';

interface ContactsDeps {
  readonly ctx: ContextBase;
  readonly follows: Follows;
  readonly followers: Followers;
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
    return this.#deps.follows.follows();
  }

  isFollowing(nodeId: NodeId): boolean {
    return this.#deps.follows.isFollowing(nodeId);
  }

  followedAtMs(nodeId: NodeId): number {
    return this.#deps.follows.followedAtMs(nodeId) ?? 0;
  }

  latestFollowers(limit: number): readonly { readonly nodeId: NodeId; readonly sinceMs: number }[] {
    return this.#deps.followers.latest(limit);
  }

  countFollowers(): number {
    return this.#deps.followers.count();
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
    const { ctx, follows, followers } = this.#deps;
    const isNew = follows.follow(nodeId, ctx.clock.now());
    if (isNew) {
      ctx.counters.add('followed');
      ctx.emit(followed, { nodeId, relation: followers.has(nodeId) ? 'mutual' : 'follow', addresses });
    }
    await ctx.db.synced();
    if (isNew) await this.#deps.tellFollowee(nodeId);
  }

  /** Resolves when it is on disk: with false when the node was not followed. */
  async unfollow(nodeId: NodeId): Promise<boolean> {
    const { ctx, follows } = this.#deps;
    if (!follows.unfollow(nodeId)) return false;
    ctx.counters.add('unfollowed');
    ctx.emit(unfollowed, { nodeId, relation: this.#relation(nodeId) });
    await ctx.db.synced();
    await this.#deps.tellFollowee(nodeId);
    return true;
  }

  /** A node said whether it follows the user, from an address of these blocks. */
  heardFollowing(nodeId: NodeId, following: boolean, blocks: readonly AddressBlock[], share: number): void {
    const { ctx, followers } = this.#deps;
    if (nodeId === ctx.self.nodeId) return;
    const outcome = followers.heard(nodeId, following, ctx.clock.now(), blocks, share);
    if (outcome === 'changed') this.#followerChanged(nodeId, following);
    else if (outcome !== 'same') ctx.counters.add(`followers-refused.${outcome}`);
  }

  /** Takes a follower off the list, with `block` for good; resolves when it is on disk: with false when it was on none. */
  async removeFollower(nodeId: NodeId, block: boolean): Promise<boolean> {
    const { ctx, followers } = this.#deps;
    const removed = block ? followers.block(nodeId, ctx.clock.now()) : followers.remove(nodeId);
    if (removed) this.#followerChanged(nodeId, false);
    await ctx.db.synced();
    return removed;
  }

  /** Resolves when it is on disk: with false when it was not blocked. */
  async unblockFollower(nodeId: NodeId): Promise<boolean> {
    const { ctx, followers } = this.#deps;
    const unblocked = followers.unblock(nodeId);
    await ctx.db.synced();
    return unblocked;
  }

  blockedFollowers(limit: number): readonly NodeId[] {
    return this.#deps.followers.blocked(limit);
  }

  #followerChanged(nodeId: NodeId, following: boolean): void {
    this.#deps.ctx.emit(followerChanged, { nodeId, following, relation: this.#relation(nodeId) });
  }

  #relation(nodeId: NodeId): Relation | undefined {
    const { follows, followers } = this.#deps;
    if (follows.isFollowing(nodeId)) return followers.has(nodeId) ? 'mutual' : 'follow';
    return followers.has(nodeId) ? 'audience' : undefined;
  }
}
