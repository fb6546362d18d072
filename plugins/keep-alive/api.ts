import { definePoint, defineToken, defineTopic, listOf, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/**
 * Why a node must stay findable, in the order in which sessions are given up near the ceiling, the last
 * first (KEEP-08): a conversation of the last 30 minutes, a followee, a follower, a file peer, an older
 * conversation (KEEP-02).
 */
export const NEED_REASONS = ['dm-active', 'follow', 'audience', 'file', 'dm'] as const;
export type NeedReason = (typeof NEED_REASONS)[number];

/** A node that must stay findable (KEEP-02). */
export interface Need {
  readonly nodeId: NodeId;
  readonly reason: NeedReason;
  /** The node and its preferred peers where they are known. */
  readonly nplus10: readonly NodeId[];
}

const NeedSchema = Type.Object({
  nodeId: NodeIdSchema,
  reason: Type.Enum([...NEED_REASONS]),
  nplus10: Type.Array(NodeIdSchema),
});

/** Nodes of one list that are looked at; the rest is left out and counted by nobody. */
const LIST_MAX = 2_000;

/**
 * Lists of nodes that must stay findable, each read at once at every check. The social contacts are known
 * already. At most 2,000 nodes of a list are looked at.
 */
export const KEPT_CONNECTION_NEEDS = definePoint<() => Iterable<Need>>('keep-alive/needs', {
  limit: 16,
  answers: listOf(NeedSchema, LIST_MAX),
});

export interface KeepAliveService {
  /** Checks at once instead of at the next minute, and counts as a check for the hysteresis. */
  check(): Promise<void>;
}

export const KEEP_ALIVE = defineToken<KeepAliveService>('keep-alive');

/** A check of all needed nodes is over (CYC-06). */
export const connectivityChecked = defineTopic<{
  readonly needed: number;
  /** Of them those that no way leads to at this moment. */
  readonly outOfSight: number;
  readonly sessions: number;
}>('keep-alive/connectivity-checked');

/** A long-lived session outside the mesh was opened for a needed node, by us; `host` is whom it goes to. */
export const sessionKept = defineTopic<{ readonly target: NodeId; readonly host: NodeId }>('keep-alive/session-kept');
/** It is not kept any more. */
export const sessionReleased = defineTopic<{ readonly target: NodeId; readonly host: NodeId; readonly reason: string }>(
  'keep-alive/session-released',
);
