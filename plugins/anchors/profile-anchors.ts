import { codeOf } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { LookupStep } from '../lookup/api.ts';
import { parseConnectString } from '../peers/api.ts';
import type { Profile, SocialService } from '../social/api.ts';
import type { Anchor } from './api.ts';
import type { AnchorsContext } from './context.ts';
import { placeToldBy } from './matchmaking.ts';
import type { Place, PeerDirectory } from './peer-directory.ts';

/** Time for the anchors of one profile to be dialled; they are at the same time. */
const STEP_LIMIT_MS = 15_000;
/** Followees whose anchors are looked at when no other anchor answers. */
const FOLLOWEES_MAX = 64;

/**
 * Anchors that people name in their profiles (ANCH-15). Through those of a node it is looked for when
 * nobody around knows it; the user's own, and those of followees, are asked for peers after the
 * anchors that this node knows by itself.
 */
export class ProfileAnchors {
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;

  constructor(anchors: AnchorsContext, directory: PeerDirectory) {
    this.#anchors = anchors;
    this.#directory = directory;
  }

  /** For a bootstrap or recovery: those the user named itself, which nobody else has a say in. */
  async own(): Promise<readonly Anchor[]> {
    const { nodeId } = this.#anchors.ctx.self;
    return this.#read(await this.#social((social) => social.profile(nodeId)));
  }

  /** Those of followees, on their word. */
  async ofFollowees(): Promise<readonly Place[]> {
    const { network } = this.#anchors;
    const profiles = await this.#social((social) =>
      social
        .follows()
        .slice(0, FOLLOWEES_MAX)
        .flatMap((nodeId) => social.profile(nodeId) ?? []),
    );
    return (profiles ?? []).flatMap((profile) => {
      const told = { by: profile.nodeId, seenAt: this.#directory.seenAt(profile.nodeId) };
      return this.#read(profile).map(({ nodeId, addresses }) => ({
        nodeId,
        addresses: addresses.filter((address) => network.mayDial(address, told.seenAt)),
        told,
      }));
    });
  }

  async isNamed(): Promise<boolean> {
    return (await this.own()).length + (await this.ofFollowees()).length > 0;
  }

  /** A step of a lookup: connects to the anchors in the target's profile, which are then asked. */
  readonly step: LookupStep = {
    limitMs: STEP_LIMIT_MS,
    find: async (target, { signal }) => {
      const named = this.#read(await this.#social((social) => social.profile(target)));
      if (named.length === 0) return { kind: 'nothing', reason: 'its profile is not known, or names no anchor' };
      const here = named.filter(({ nodeId }) => this.#directory.isConnected(nodeId));
      const away = named.filter((anchor) => !here.includes(anchor));
      const reached = await Promise.all(away.map((anchor) => this.#reach(anchor, target, signal)));
      const opened = away.filter((_, at) => reached[at] === true).map(({ nodeId }) => nodeId);
      const peers = [...here.map(({ nodeId }) => nodeId), ...opened];
      if (peers.length === 0) return { kind: 'nothing', reason: 'none of the anchors in its profile was reached' };
      return { kind: 'ask', peers, opened };
    },
  };

  async #reach({ nodeId, addresses }: Anchor, author: NodeId, signal: AbortSignal): Promise<boolean> {
    const { ctx } = this.#anchors;
    try {
      await this.#directory.reach(placeToldBy(author, nodeId, addresses), 'profile-anchor', signal);
      return true;
    } catch (error) {
      ctx.counters.add(`profile-anchors-not-reached.${codeOf(error)}`);
      return false;
    }
  }

  /** Social has checked them; ourselves and what a newer form might bring are left out. */
  #read(profile: Profile | undefined): Anchor[] {
    const { ctx } = this.#anchors;
    return (profile?.anchors ?? []).flatMap((text) => {
      try {
        const anchor = parseConnectString(text);
        return anchor.nodeId === ctx.self.nodeId ? [] : [anchor];
      } catch (error) {
        ctx.counters.add(`profile-anchors-not-read.${codeOf(error)}`);
        return [];
      }
    });
  }

  /** Its troubles are not ours: with social off or failing there are other anchors. */
  async #social<R>(ask: (social: SocialService) => R): Promise<Awaited<R> | undefined> {
    const { ctx } = this.#anchors;
    const { social } = ctx.deps;
    if (!social.available) return undefined;
    try {
      return await social.use(ask, { signal: ctx.signal });
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.counters.add(`social-not-asked.${codeOf(error)}`);
      return undefined;
    }
  }
}
