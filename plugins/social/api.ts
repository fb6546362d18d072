import { answerOrNothing, definePoint, defineToken, defineTopic, NodeIdSchema, Type } from '../../kernel/index.ts';
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

export interface SocialService {
  /** Whom the user follows, oldest follow first. */
  follows(): readonly NodeId[];
  isFollowing(nodeId: NodeId): boolean;
  /** When the user began to follow it, in ms since the epoch. */
  followedAtMs(nodeId: NodeId): number | undefined;
  /** Who told us that they follow the user, the latest first. */
  followers(limit?: number): readonly NodeId[];
  /** Those of the given nodes that follow the user: there may be a hundred thousand followers, and few connected. */
  followersAmong(nodeIds: readonly NodeId[]): readonly NodeId[];
  /** Friends are those who follow each other (SOC-08). */
  isFriend(nodeId: NodeId): boolean;
  /** The name in the node's profile, the user's own included; `undefined` when none is known. */
  displayName(nodeId: NodeId): string | undefined;
  profile(nodeId: NodeId): Profile | undefined;
}

export const SOCIAL = defineToken<SocialService>('social');

/** What is known of where a contact is, which lists of contacts show. */
export interface ContactFacts {
  /** `none`: away. */
  readonly reach: 'direct' | 'relay' | 'indirect' | 'none';
  readonly addresses: readonly string[];
  readonly nplus10: readonly NodeId[];
  /** When it was last connected to us; 0 for never. */
  readonly lastConnectedMs: number;
}

const ContactFactsSchema = Type.Object({
  reach: Type.Union([Type.Literal('direct'), Type.Literal('relay'), Type.Literal('indirect'), Type.Literal('none')]),
  addresses: Type.Array(Type.String()),
  nplus10: Type.Array(NodeIdSchema),
  lastConnectedMs: Type.Number(),
});

/** Who knows where contacts are. `undefined` for one it knows nothing of. */
export type ContactFactSource = (nodeId: NodeId) => ContactFacts | undefined;

export const CONTACT_FACTS = definePoint<ContactFactSource>('social/contact-facts', {
  limit: 1,
  answers: answerOrNothing(ContactFactsSchema),
});

/** The user began to follow a node; `addresses` are those it gave. */
export const followed = defineTopic<{
  readonly nodeId: NodeId;
  readonly relation: Relation;
  readonly addresses: readonly string[];
}>('social/followed');
/** The user no longer follows a node. It may follow the user all the same: then it belongs to the audience. */
export const unfollowed = defineTopic<{ readonly nodeId: NodeId; readonly relation: Relation | undefined }>(
  'social/unfollowed',
);
/** A newer profile was stored: of another node, or the user's own. */
export const profileChanged = defineTopic<Profile>('social/profile-changed');
/** A node told us that it follows the user, or that it no longer does; `relation` is how they stand to each other now. */
export const followerChanged = defineTopic<{
  readonly nodeId: NodeId;
  readonly following: boolean;
  readonly relation: Relation | undefined;
}>('social/follower-changed');
