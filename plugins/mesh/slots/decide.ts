import type { NodeId } from '../../../kernel/index.ts';

/** Slots of a mesh, and how many of them preferred peers may hold (MESH-01, MESH-02). */
export const DESKTOP_SLOTS = { mesh: 101, preferred: 10 } as const;
export const MOBILE_SLOTS = { mesh: 15, preferred: 3 } as const;

export interface SlotLimits {
  readonly mesh: number;
  /** How many of them preferred peers may hold. */
  readonly preferred: number;
}

export interface SlotConfig {
  readonly profile: 'desktop' | 'mobile';
  readonly maxMesh: number;
  readonly maxPreferred: number;
}

/** The profile's slots, or fewer where the settings say so. */
export function slotLimits({ profile, maxMesh, maxPreferred }: SlotConfig): SlotLimits {
  const mesh = profile === 'mobile' ? Math.min(maxMesh, MOBILE_SLOTS.mesh) : maxMesh;
  const preferred = profile === 'mobile' ? Math.min(maxPreferred, MOBILE_SLOTS.preferred) : maxPreferred;
  return { mesh, preferred: Math.min(preferred, mesh) };
}

/** A connection with a mesh slot, as the decision sees it. */
export interface HeldSlot {
  readonly connectionId: number;
  readonly nodeId: NodeId;
}

/** All that a slot decision depends on. */
export interface SlotTable {
  readonly limits: SlotLimits;
  readonly held: readonly HeldSlot[];
  /** Slots kept free for other handshakes under way. */
  readonly reserved: number;
  isPreferred(nodeId: NodeId): boolean;
  /** The address block of who asks holds fewer slots than its share. Asked only when it matters. */
  isWithinShare(): boolean;
  isBlacklisted(nodeId: NodeId): boolean;
  /** How much of what we know comes from this peer alone; the lowest is evicted first. Asked only then. */
  diversity(nodeId: NodeId): number;
}

export type SlotDecision =
  | { readonly grant: true; readonly evict?: HeldSlot }
  | { readonly grant: false; readonly reason: SlotRefusal };

/** `share`: others at its address hold as many slots as one host may have. */
export type SlotRefusal = 'full' | 'blacklisted' | 'held-already' | 'share';

/**
 * Whether this connection may hold a slot (MESH-05). A preferred peer that comes back to a full mesh
 * takes the place of the non-preferred one with the lowest diversity, which is the only eviction there
 * is (CONN-07, CONN-13). One identity holds one slot, however many devices it shows.
 */
export function decideSlot(asking: HeldSlot, table: SlotTable): SlotDecision {
  const { nodeId, connectionId } = asking;
  if (table.isBlacklisted(nodeId)) return { grant: false, reason: 'blacklisted' };
  if (table.held.some((held) => held.connectionId === connectionId)) return { grant: true };
  if (table.held.some((held) => held.nodeId === nodeId)) return { grant: false, reason: 'held-already' };
  if (!table.isPreferred(nodeId) && !table.isWithinShare()) return { grant: false, reason: 'share' };
  if (table.held.length + table.reserved < table.limits.mesh) return { grant: true };
  if (!table.isPreferred(nodeId)) return { grant: false, reason: 'full' };
  // A slot that is only reserved is free as yet; whoever reserved it is refused when its answer comes.
  if (table.held.length < table.limits.mesh) return { grant: true };
  const evict = leastDiverse(table);
  return evict === undefined ? { grant: false, reason: 'full' } : { grant: true, evict };
}

/** The non-preferred peer that costs least to lose. */
export function leastDiverse(table: Pick<SlotTable, 'held' | 'isPreferred' | 'diversity'>): HeldSlot | undefined {
  let least: { held: HeldSlot; diversity: number } | undefined;
  for (const held of table.held) {
    if (table.isPreferred(held.nodeId)) continue;
    const diversity = table.diversity(held.nodeId);
    if (least === undefined || diversity < least.diversity) least = { held, diversity };
  }
  return least?.held;
}
