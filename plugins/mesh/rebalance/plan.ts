import type { CloseReason, ConnectionKind, NodeId } from '../../../kernel/index.ts';
import { PREFERRED_LOST_MS } from '../prefer/preferred-peers.ts';
import type { PreferredPeer } from '../prefer/preferred-peers.ts';

/** A non-preferred mesh peer is brought back within so long after it was lost (CONN-09). */
export const DROPPED_MS = 30 * 60_000;
/** Lost peers tried in one run. */
const RETURNS_MAX = 8;

export interface RebalanceConnection {
  readonly connectionId: number;
  readonly nodeId: NodeId;
  readonly kind: ConnectionKind;
  readonly idleMs: number;
  /** The user or a plugin asked to remember its node. */
  readonly isWanted: boolean;
}

export interface Dropped {
  readonly nodeId: NodeId;
  readonly atMs: number;
}

/** All that a rebalance depends on. */
export interface RebalanceView {
  readonly nowMs: number;
  readonly zombieMs: number;
  readonly sessionIdleMs: number;
  readonly limit: number;
  readonly connections: readonly RebalanceConnection[];
  readonly preferred: readonly PreferredPeer[];
  readonly dropped: readonly Dropped[];
  isBlacklisted(nodeId: NodeId): boolean;
}

export type RebalanceStep =
  | { readonly do: 'close'; readonly connectionId: number; readonly nodeId: NodeId; readonly reason: CloseReason }
  | { readonly do: 'prune-preferred'; readonly nodeId: NodeId }
  | { readonly do: 'reconnect-preferred'; readonly nodeId: NodeId }
  | { readonly do: 'reconnect'; readonly nodeId: NodeId }
  | { readonly do: 'negotiate' }
  | { readonly do: 'signal-growth' };

/**
 * What a rebalance does, in its order (CONN-05 to CONN-11): the dead out, then preferred peers back, then
 * those lost of late, then growth for the rest. It evicts nobody; that is decided when a preferred peer
 * is here and asks for its slot.
 */
export function planRebalance(view: RebalanceView): RebalanceStep[] {
  const { nowMs, connections, preferred } = view;
  const steps: RebalanceStep[] = [];
  const closed = new Set<number>();
  const close = ({ connectionId, nodeId }: RebalanceConnection, reason: CloseReason): void => {
    closed.add(connectionId);
    steps.push({ do: 'close', connectionId, nodeId, reason });
  };
  for (const connection of connections) {
    if (connection.idleMs > view.zombieMs) close(connection, 'zombie');
    else if (connection.kind === 'session' && connection.idleMs > view.sessionIdleMs && !connection.isWanted) {
      close(connection, 'done');
    }
  }
  const live = connections.filter(({ connectionId }) => !closed.has(connectionId));
  const isConnected = (nodeId: NodeId): boolean => live.some((connection) => connection.nodeId === nodeId);
  const holdsSlot = (nodeId: NodeId): boolean =>
    live.some((connection) => connection.nodeId === nodeId && connection.kind === 'mesh');

  for (const { nodeId, lastReachedMs } of preferred) {
    if (isConnected(nodeId)) continue;
    if (nowMs - lastReachedMs >= PREFERRED_LOST_MS) steps.push({ do: 'prune-preferred', nodeId });
  }
  for (const { nodeId, lastReachedMs } of preferred) {
    if (holdsSlot(nodeId) || (!isConnected(nodeId) && nowMs - lastReachedMs >= PREFERRED_LOST_MS)) continue;
    steps.push({ do: 'reconnect-preferred', nodeId });
  }
  let free = view.limit - live.filter(({ kind }) => kind === 'mesh').length;
  const back = view.dropped.filter(
    ({ nodeId, atMs }) => nowMs - atMs < DROPPED_MS && !isConnected(nodeId) && !view.isBlacklisted(nodeId),
  );
  for (const { nodeId } of back.slice(-RETURNS_MAX)) {
    if (free <= 0) break;
    if (preferred.some((peer) => peer.nodeId === nodeId)) continue;
    steps.push({ do: 'reconnect', nodeId });
    free--;
  }
  steps.push({ do: 'negotiate' });
  if (free > 0) steps.push({ do: 'signal-growth' });
  return steps;
}
