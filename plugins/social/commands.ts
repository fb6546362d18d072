import { codeOf, defineCommand, idParam, linkSignals, readNodeId, Type } from '../../kernel/index.ts';
import type { Clock, CommandHandlers, NodeId, Ref } from '../../kernel/index.ts';
import { parseConnectString } from '../peers/api.ts';
import type { PeersService } from '../peers/api.ts';
import type { ContactFacts } from './api.ts';
import type { Contacts } from './contacts.ts';
import { socialErrors } from './errors.ts';
import type { OwnProfile } from './own-profile.ts';
import type { ProfileRecord } from './profile-record.ts';

const ProfileView = Type.Object({
  node_id: Type.String(),
  name: Type.String(),
  bio: Type.String(),
  anchors: Type.Array(Type.String()),
  timestamp_ms: Type.Integer(),
});

const FollowView = Type.Object({
  node_id: Type.String(),
  display_name: Type.Optional(Type.String()),
  online: Type.Boolean(),
  /** Absent when it was never connected. */
  last_online_ms: Type.Optional(Type.Integer()),
  followed_at_ms: Type.Integer(),
  friend: Type.Boolean(),
  /** `direct`: connected to you. `indirect`: online, as a preferred peer of it says. `none`: away. */
  reach: Type.Union([Type.Literal('direct'), Type.Literal('relay'), Type.Literal('indirect'), Type.Literal('none')]),
  addresses: Type.Array(Type.String()),
  nplus10: Type.Array(Type.String()),
});

const FollowerView = Type.Object({
  node_id: Type.String(),
  display_name: Type.Optional(Type.String()),
  online: Type.Boolean(),
  since_ms: Type.Integer(),
  following: Type.Boolean(),
});

const NodeIdParam = idParam(['node'], 'Node id');
/** How long the answer waits for the followee to be reached: a dead address and a search. Check-ins go on from there. */
const FIND_LIMIT_MS = 18_000;

export const socialCommands = {
  'profile.set': defineCommand({
    about: 'Set your name and bio, and tell connected peers',
    params: Type.Object({
      name: Type.Optional(Type.String({ description: 'Display name, up to 64 characters' })),
      bio: Type.Optional(Type.String({ description: 'A few words about you, up to 1,000 characters' })),
      anchors: Type.Optional(
        Type.Array(Type.String({ maxLength: 2_048 }), {
          maxItems: 16,
          description: 'Connect strings of up to 4 anchors through which others find you; an empty one clears them',
        }),
      ),
    }),
    result: ProfileView,
  }),
  'profile.show': defineCommand({
    about: 'Show your profile, or that of another node',
    params: Type.Object({ node_id: Type.Optional(NodeIdParam) }),
    result: ProfileView,
    positional: ['node_id'],
  }),
  'follow.add': defineCommand({
    restart: true,
    about: 'Follow a node: its posts come into your feed',
    params: Type.Object({
      target: idParam(['node'], '<node id>@<host>:<port>[,<host>:<port>], or the node id of one to be looked for'),
    }),
    result: Type.Object({
      node_id: Type.String(),
      connected: Type.Boolean(),
      /** Why the connection did not come about; it is tried again in the background. */
      problem: Type.Optional(Type.String()),
    }),
    positional: ['target'],
    text: ({ node_id, connected, problem }) =>
      `Following ${node_id}${connected ? '' : `, not connected yet${problem === undefined ? '' : ` (${problem})`}`}`,
  }),
  'follow.remove': defineCommand({
    about: 'Cease to follow a node',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({ node_id: Type.String() }),
    positional: ['node_id'],
  }),
  'follow.list': defineCommand({
    about: 'List whom you follow',
    params: Type.Object({}),
    result: Type.Object({ follows: Type.Array(FollowView) }),
  }),
  'follower.list': defineCommand({
    about: 'List who told you that they follow you, the latest first',
    params: Type.Object({
      limit: Type.Integer({ default: 200, minimum: 1, maximum: 1_000, description: 'How many to list' }),
    }),
    result: Type.Object({ followers: Type.Array(FollowerView), total: Type.Integer() }),
  }),
  'follower.remove': defineCommand({
    about: 'Take a follower off your list; it may follow again unless you block it',
    params: Type.Object({
      node_id: NodeIdParam,
      block: Type.Boolean({ default: false, description: 'Never list it again, until `follower unblock`' }),
    }),
    result: Type.Object({ node_id: Type.String(), was_follower: Type.Boolean(), blocked: Type.Boolean() }),
    positional: ['node_id'],
    text: ({ node_id, was_follower, blocked }) =>
      `${node_id} ${was_follower ? 'is off your list' : 'was not on your list'}${blocked ? ', and blocked' : ''}`,
  }),
  'follower.unblock': defineCommand({
    about: 'Let a blocked node follow you again',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({ node_id: Type.String() }),
    positional: ['node_id'],
  }),
  'follower.blocked': defineCommand({
    about: 'List whom you blocked, the latest first',
    params: Type.Object({
      limit: Type.Integer({ default: 200, minimum: 1, maximum: 1_000, description: 'How many to list' }),
    }),
    result: Type.Object({ blocked: Type.Array(Type.Object({ node_id: Type.String() })) }),
  }),
};

interface CommandParts {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly contacts: Contacts;
  readonly profile: OwnProfile;
  readonly peers: Ref<PeersService>;
}

export function socialCommandHandlers(parts: CommandParts): CommandHandlers<typeof socialCommands> {
  const { self, contacts, profile } = parts;

  const named = (nodeId: NodeId): { display_name?: string } => {
    const display_name = contacts.displayName(nodeId);
    return display_name === undefined ? {} : { display_name };
  };

  return {
    'profile.set': async (change) => viewProfile(await profile.set(change)),
    'profile.show': (params) => {
      const nodeId = params.node_id === undefined ? self : readNodeId(params.node_id);
      const record = contacts.profile(nodeId);
      if (record === undefined) throw socialErrors.make('no-profile', { node_id: nodeId });
      return viewProfile(record);
    },
    'follow.add': async ({ target }, call) => {
      const { nodeId, addresses } = readFollowTarget(target);
      if (nodeId === self) throw socialErrors.make('own-node');
      await contacts.follow(nodeId, addresses);
      const { peers } = parts;
      if (!peers.available) return { node_id: nodeId, connected: false, problem: 'peers is off' };
      call.progress(addresses.length === 0 ? 'looking for it' : 'dialling');
      const limited = linkSignals([call.signal], { deadlineMs: FIND_LIMIT_MS, clock: parts.clock });
      try {
        await peers.use((service, signal) => service.connectAndRemember(target, { signal }), {
          signal: limited.signal,
          restart: true,
        });
        return { node_id: nodeId, connected: true };
      } catch (error) {
        call.signal.throwIfAborted();
        return { node_id: nodeId, connected: false, problem: codeOf(error) };
      } finally {
        limited.dispose();
      }
    },
    'follow.remove': async (params) => {
      const nodeId = readNodeId(params.node_id);
      if (!(await contacts.unfollow(nodeId))) throw socialErrors.make('not-following', { node_id: nodeId });
      return { node_id: nodeId };
    },
    'follow.list': async () => {
      const online = await contacts.online();
      return {
        follows: contacts.follows().map((nodeId) => {
          const facts = contacts.facts(nodeId);
          const lastMs = online.has(nodeId) ? contacts.nowMs() : facts?.lastConnectedMs || undefined;
          return {
            node_id: nodeId,
            ...named(nodeId),
            online: online.has(nodeId),
            ...(lastMs === undefined ? {} : { last_online_ms: lastMs }),
            followed_at_ms: contacts.followedAtMs(nodeId),
            friend: contacts.isFriend(nodeId),
            ...viewFacts(facts),
          };
        }),
      };
    },
    'follower.list': async ({ limit }) => {
      const online = await contacts.online();
      return {
        followers: contacts.latestFollowers(limit).map(({ nodeId, sinceMs }) => ({
          node_id: nodeId,
          ...named(nodeId),
          online: online.has(nodeId),
          since_ms: sinceMs,
          following: contacts.isFollowing(nodeId),
        })),
        total: contacts.countFollowers(),
      };
    },
    'follower.remove': async (params) => {
      const nodeId = readNodeId(params.node_id);
      const was_follower = await contacts.removeFollower(nodeId, params.block);
      if (!was_follower && !params.block) throw socialErrors.make('no-follower', { node_id: nodeId });
      return { node_id: nodeId, was_follower, blocked: params.block };
    },
    'follower.unblock': async (params) => {
      const nodeId = readNodeId(params.node_id);
      if (!(await contacts.unblockFollower(nodeId))) throw socialErrors.make('not-blocked', { node_id: nodeId });
      return { node_id: nodeId };
    },
    'follower.blocked': ({ limit }) => ({
      blocked: contacts.blockedFollowers(limit).map((node_id) => ({ node_id })),
    }),
  };
}

function viewFacts(facts: ContactFacts | undefined) {
  return {
    reach: facts?.reach ?? 'none',
    addresses: [...(facts?.addresses ?? [])],
    nplus10: [...(facts?.nplus10 ?? [])],
  };
}

function viewProfile({ author, name, bio, anchors = [], timestamp_ms }: ProfileRecord) {
  return { node_id: author, name, bio, anchors: [...anchors], timestamp_ms };
}

/** @throws kit/bad-node-id, mesh/bad-connect-string */
function readFollowTarget(target: string): { nodeId: NodeId; addresses: readonly string[] } {
  return target.includes('@') ? parseConnectString(target) : { nodeId: readNodeId(target), addresses: [] };
}
