import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';

/** MESH-04: what kind of mesh slot a connection holds. */
export type SlotKind = 'preferred' | 'non-preferred' | 'none';

/** How the mesh slots are used at this moment (MESH-01, MESH-02). */
export interface SlotCounts {
  /** Connections that hold a slot; never above `limit`. */
  readonly held: number;
  /** Slots kept free for handshakes under way. */
  readonly reserved: number;
  readonly limit: number;
  readonly preferred: number;
  readonly preferredLimit: number;
}

/** A node that somebody says is worth a slot, and where it may be. */
export interface Lead {
  readonly nodeId: NodeId;
  /** On the word of `from`. */
  readonly addresses: readonly string[];
  readonly from: NodeId;
}

export interface MeshService {
  /** Nodes that hold a mesh slot, each once: whom to send what goes to the mesh. */
  meshPeers(): readonly NodeId[];
  slots(): SlotCounts;
  /** NPT-01: this node and its preferred peers, at most 11 ids. */
  nplus10(): readonly NodeId[];
  /**
   * What a connected peer said of itself last; `[]` when it is no peer. Preferred peers tell of each
   * change, others at their handshake.
   */
  nplus10Of(nodeId: NodeId): readonly NodeId[];
  /** Hands growth a node to try before its own candidates. False when it is not wanted or there are too many. */
  offerCandidate(lead: Lead): boolean;
  /** Has growth look for peers at once, whatever failed before (CONN-16). */
  requestGrowth(): void;
}

export const MESH = defineToken<MeshService>('mesh');

/** The last connection that held a mesh slot is gone: recovery may begin (CONN-14). */
export const meshEmptied = defineTopic<Record<string, never>>('mesh/emptied');
/** A connection got a mesh slot, another kind of one, or lost it. */
export const slotChanged = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly slot: SlotKind;
  /** `granted`, `agreed`, `cancelled`, `ended`, `preferred-return`, `limit-lowered`, `handed-over`. */
  readonly reason: string;
}>('mesh/slot-changed');
/** What became of one attempt of growth. */
export interface GrowthTried {
  readonly nodeId: NodeId;
  readonly why: 'candidate' | 'offered' | 'redirect';
  /** `refused`: it is there and has no slot for us. */
  readonly outcome: 'joined' | 'refused' | 'unreachable';
  /** Code of the error that made it unreachable; empty otherwise. */
  readonly reason: string;
  readonly tookMs: number;
}
export const growthTried = defineTopic<GrowthTried>('mesh/growth-tried');
/** Who this node prefers has changed: itself and its preferred peers (NPT-01). */
export const nplus10Changed = defineTopic<{ readonly nplus10: readonly NodeId[] }>('mesh/nplus10-changed');
/** A rebalance ran (CYC-03); `steps` in their order, in words. */
export const rebalanced = defineTopic<{ readonly cause: 'timer' | 'command'; readonly steps: readonly string[] }>(
  'mesh/rebalanced',
);
