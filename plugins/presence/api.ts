import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { Relation } from '../social/api.ts';

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

export interface PresenceService {
  /** The members of the social layer (LAY-01): followees first, then followers, at most 6,000. */
  routes(): readonly SocialRoute[];
  route(nodeId: NodeId): SocialRoute | undefined;
}

export const PRESENCE = defineToken<PresenceService>('presence');

/** A contact came online or went, or told of other addresses or preferred peers than before. */
export const routeChanged = defineTopic<SocialRoute>('presence/route-changed');
