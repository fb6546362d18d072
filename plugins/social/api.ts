import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/** What an author says of itself, signed by it. */
export interface Profile {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly bio: string;
  /** Connect strings of anchors through which the author is to be looked for (ANCH-15). */
  readonly anchors: readonly string[];
  readonly timestampMs: number;
}

/** How a contact stands to the user. Followers are the audience until approval is asked for (SOC-06). */
export type Relation = 'follow' | 'audience' | 'mutual';
/** `direct`: connected to us. `indirect`: online, as one who is connected to it tells. */
export type ReachMethod = 'direct' | 'relay' | 'indirect';

/** Where a contact was last reached (SOC-01). A frozen snapshot. */
export interface SocialRoute {
  readonly nodeId: NodeId;
  readonly relation: Relation;
  readonly online: boolean;
  readonly reachMethod: ReachMethod;
  /** The contact and its preferred peers, as it signed them; `[]` until it told us. */
  readonly nplus10: readonly NodeId[];
  /**
   * Its preferred peers and theirs, about 100 ids, as it said at the last check-in: who may know or relay
   * to it (NPT-08). Nobody has proved them; `[]` until it told us.
   */
  readonly preferredTree: readonly NodeId[];
  /** Best first; each may be dialled (`Network.mayDial`). */
  readonly addresses: readonly string[];
  /** When it was last connected to us; 0 for never. */
  readonly lastConnectedMs: number;
}

export interface SocialService {
  /** Whom the user follows, oldest follow first. */
  follows(): readonly NodeId[];
  isFollowing(nodeId: NodeId): boolean;
  /** Who told us that they follow the user, the latest first. */
  followers(): readonly NodeId[];
  /** Friends are those who follow each other (SOC-08). */
  isFriend(nodeId: NodeId): boolean;
  /** The name in the node's profile, the user's own included; `undefined` when none is known. */
  displayName(nodeId: NodeId): string | undefined;
  profile(nodeId: NodeId): Profile | undefined;
  /** The members of the social layer (LAY-01): followees first, then followers, at most 6,000. */
  routes(): readonly SocialRoute[];
  route(nodeId: NodeId): SocialRoute | undefined;
}

export const SOCIAL = defineToken<SocialService>('social');

/** The user began to follow a node. */
export const followed = defineTopic<{ readonly nodeId: NodeId }>('social/followed');
/** The user ceased to follow a node. */
export const unfollowed = defineTopic<{ readonly nodeId: NodeId }>('social/unfollowed');
/** A newer profile was stored: of another node, or the user's own. */
export const profileChanged = defineTopic<Profile>('social/profile-changed');
/** A node told us that it follows the user, or that it no longer does. */
export const followerChanged = defineTopic<{ readonly nodeId: NodeId; readonly following: boolean }>(
  'social/follower-changed',
);

/** A contact came online or went, or told of other addresses or preferred peers than before. */
export const routeChanged = defineTopic<SocialRoute>('social/route-changed');
