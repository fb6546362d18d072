import {
  bind,
  codeOf,
  contribute,
  definePlugin,
  DeviceIdSchema,
  KNOWN_IDS,
  NETWORK,
  NodeIdSchema,
  SIGNER,
  Type,
} from '../../kernel/index.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';
import { extensionFeature, HANDSHAKE, PEER_FACTS, PEERS } from '../peers/api.ts';
import type { HandshakeExtension } from '../peers/api.ts';
import { CONTACT_FACTS, profileChanged, SOCIAL } from './api.ts';
import type { Profile } from './api.ts';
import { socialCommandHandlers, socialCommands } from './commands.ts';
import { SocialConfig } from './config.ts';
import { Contacts } from './contacts.ts';
import { socialErrors } from './errors.ts';
import { contactsStartingWith } from './known-nodes.ts';
import { followingNotice, profileUpdate } from './messages.ts';
import { socialTables } from './migrations/0001-social.ts';
import { routingTables } from './migrations/0002-routing.ts';
import { companyTable } from './migrations/0004-company.ts';
import { profileAnchors } from './migrations/0003-profile-anchors.ts';
import { moreOfProfiles } from './migrations/0005-more-of-profiles.ts';
import { followerBlocks } from './migrations/0006-follower-blocks.ts';
import { profileBlocks } from './migrations/0007-profile-blocks.ts';
import { Outbox } from './outbox.ts';
import { OwnProfile } from './own-profile.ts';
import { verifyProfile } from './profile-record.ts';
import type { ProfileRecord } from './profile-record.ts';
import { Profiles } from './profiles.ts';
import { Followers, FOLLOWERS_MAX } from './followers.ts';
import { Follows } from './follows.ts';
import { socialUi } from './ui.ts';

const PeerRef = Type.Object({ nodeId: NodeIdSchema, deviceId: DeviceIdSchema });

/** Everything else is on disk: only what was on its way to peers is handed over. */
const State = Type.Object({
  profileOwed: Type.Array(PeerRef),
  followingOwed: Type.Array(PeerRef),
});

export default definePlugin({
  name: 'social',
  version: '1.0.0',
  kernel: '^1',
  about: 'Profiles, follows and followers',
  config: SocialConfig,
  inject: { signer: SIGNER, network: NETWORK, peers: { optional: PEERS } },
  provides: [SOCIAL],
  points: [CONTACT_FACTS],
  messages: { profileUpdate, followingNotice },
  commands: socialCommands,
  migrations: [
    socialTables,
    routingTables,
    profileAnchors,
    companyTable,
    moreOfProfiles,
    followerBlocks,
    profileBlocks,
  ],
  features: [extensionFeature('profile'), extensionFeature('following')],
  state: State,
  setup(ctx) {
    const { signer, network, peers } = ctx.deps;
    const self = ctx.self.nodeId;
    const follows = new Follows(ctx.db);
    const followers = new Followers(ctx.db, (nodeId) => follows.isFollowing(nodeId));
    const profiles = new Profiles(ctx.db, self);
    const restored: { profileOwed: PeerId[]; followingOwed: PeerId[] } = { profileOwed: [], followingOwed: [] };

    const profileOutbox = new Outbox(
      'profile-updates',
      async (peer) => {
        const record = profile.get();
        if (record !== undefined) await ctx.send(peer, profileUpdate, record, { signal: ctx.signal });
      },
      ctx,
    );
    const followingOutbox = new Outbox(
      'following-notices',
      (peer) => {
        const following = follows.isFollowing(peer.nodeId);
        return ctx.send(peer, followingNotice, { following }, { signal: ctx.signal });
      },
      ctx,
    );

    /** Connected devices that offer to take the message; those of one node, or all. */
    const takers = async (message: { readonly name: string }, nodeId?: NodeId): Promise<readonly PeerId[]> => {
      const present = await peers.tryUse((service) => service.peers(), { signal: ctx.signal });
      return (present ?? [])
        .filter(({ peer, features }) => features.includes(message.name) && (nodeId ?? peer.nodeId) === peer.nodeId)
        .map(({ peer }) => peer);
    };

    const profile = new OwnProfile({
      self,
      profiles,
      nowMs: () => ctx.clock.now(),
      signer,
      synced: () => ctx.db.synced(),
      onChange: (record) => {
        ctx.emit(profileChanged, toProfile(record));
        takers(profileUpdate).then(
          (present) => {
            for (const peer of present) profileOutbox.tell(peer);
          },
          (error) => ctx.counters.add(`profile-updates-failed.${codeOf(error)}`),
        );
      },
    });

    const contacts = new Contacts({
      ctx,
      follows,
      followers,
      profiles,
      peers,
      tellFollowee: async (nodeId) => {
        for (const peer of await takers(followingNotice, nodeId)) followingOutbox.tell(peer);
      },
    });

    /** Of the address its newest connection comes from: that is its word, and a relayed or local one counts for none. */
    const blocksOf = (nodeId: NodeId) => network.blocksOf(network.connectionsOf(nodeId).at(-1)?.remoteAddr ?? '');

    const heardFollowing = ({ nodeId }: PeerId, following: boolean): void =>
      contacts.heardFollowing(nodeId, following, blocksOf(nodeId), ctx.config.followersPerAddress);

    const refusal = (reason: string) => {
      ctx.counters.add(`profiles-refused.${reason}`);
      return socialErrors.make('bad-profile', { reason });
    };

    /**
     * Profiles are taken from their author, and of those the user follows from anybody: their signature
     * counts. Others' would let one peer fill the table with people it made up.
     *
     * @throws social/bad-profile
     */
    const receiveProfile = (peer: PeerId, value: unknown): void => {
      const now = ctx.clock.now();
      const read = verifyProfile(value, now);
      if ('refused' in read) throw refusal(read.refused);
      const { record } = read;
      const isFollowed = follows.isFollowing(record.author);
      if (record.author !== peer.nodeId && !isFollowed) throw refusal('not-the-author');
      const blocks = isFollowed ? [] : blocksOf(peer.nodeId);
      const isNewer = profiles.store(record, now, blocks, ctx.config.profilesPerAddress);
      ctx.counters.add(isNewer ? 'profiles-stored' : 'profiles-known');
      if (isNewer) ctx.emit(profileChanged, toProfile(record));
    };

    const profileExtension: HandshakeExtension = {
      collect: () => profile.get(),
      receive: receiveProfile,
    };
    const followingExtension: HandshakeExtension = {
      // Only whether the user follows this very peer: who else is followed is nobody's business (SOC-06).
      collect: (peer) => ({ following: follows.isFollowing(peer.nodeId) }),
      receive: (peer, value) => {
        const following = (value as { following?: unknown } | null)?.following;
        if (typeof following !== 'boolean') throw socialErrors.make('bad-following');
        heardFollowing(peer, following);
      },
    };

    return {
      services: [
        bind(SOCIAL, {
          follows: () => follows.follows(),
          isFollowing: (nodeId) => follows.isFollowing(nodeId),
          followedAtMs: (nodeId) => follows.followedAtMs(nodeId),
          followers: (limit = FOLLOWERS_MAX) => followers.latest(limit).map(({ nodeId }) => nodeId),
          followersAmong: (nodeIds) => nodeIds.filter((nodeId) => followers.has(nodeId)),
          isFriend: (nodeId) => contacts.isFriend(nodeId),
          displayName: (nodeId) => contacts.displayName(nodeId),
          profile: (nodeId) => {
            const record = profiles.get(nodeId);
            return record === undefined ? undefined : toProfile(record);
          },
        }),
      ],
      contributes: [
        ...socialUi,
        contribute(KNOWN_IDS, {
          kind: 'node',
          startingWith: (prefix, max) => contactsStartingWith(ctx.db, prefix, max),
        }),
        contribute(HANDSHAKE, profileExtension, { name: 'profile' }),
        contribute(HANDSHAKE, followingExtension, { name: 'following' }),
        contribute(PEER_FACTS, { facts: (nodeId) => ({ display_name: contacts.displayName(nodeId) }) }),
      ],
      commands: socialCommandHandlers({ self, clock: ctx.clock, contacts, profile, peers }),
      handlers: {
        profileUpdate: (body, call) => receiveProfile(call.peer, body),
        followingNotice: ({ following }, call) => heardFollowing(call.peer, following),
      },
      activate: () => {
        for (const peer of restored.profileOwed) profileOutbox.tell(peer);
        for (const peer of restored.followingOwed) followingOutbox.tell(peer);
      },
      snapshot: () => ({ profileOwed: profileOutbox.owed(), followingOwed: followingOutbox.owed() }),
      restore: (state) => {
        restored.profileOwed = state.profileOwed;
        restored.followingOwed = state.followingOwed;
      },
      diagnostics: () => ({
        follows: follows.follows().length,
        followers: followers.count(),
        profiles: profiles.count(),
        notices_under_way: profileOutbox.size + followingOutbox.size,
      }),
    };
  },
});

function toProfile({ author, name, bio, anchors = [], timestamp_ms }: ProfileRecord): Profile {
  return { nodeId: author, name, bio, anchors, timestampMs: timestamp_ms };
}
