import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/** What an author says of itself, signed by it. */
export interface Profile {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly bio: string;
  readonly timestampMs: number;
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
