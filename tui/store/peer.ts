import { safeLine } from '../../kernel/sdk/kit/safe-text.ts';
import { numberOr } from './post.ts';

type Fields = Record<string, unknown>;

/** `peer reach` in a badge (UI-18). */
export type ReachBadge = 'mesh' | 'n1' | 'n2' | 'n3' | 'none';
const BADGES: readonly ReachBadge[] = ['mesh', 'n1', 'n2', 'n3'];

/** A connection, or a contact without one. */
export interface Peer {
  readonly nodeId: string;
  readonly deviceId: string;
  readonly name: string;
  readonly reach: ReachBadge;
  /** Empty for who is not connected. */
  readonly kind: string;
  readonly slot: string;
  readonly direction: string;
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  /** For who is not connected, when it last was. */
  readonly lastActivityMs: number;
}

export function readBadge(raw: unknown): ReachBadge {
  return BADGES.find((badge) => badge === raw) ?? 'none';
}

export function readPeer(raw: Fields): Peer {
  return {
    nodeId: safeLine(raw.node_id),
    deviceId: safeLine(raw.device_id),
    name: safeLine(raw.display_name, 64),
    reach: readBadge(raw.reach),
    kind: safeLine(raw.kind, 24),
    slot: safeLine(raw.slot, 24),
    direction: safeLine(raw.direction, 24),
    remoteAddr: safeLine(raw.remote_addr, 64),
    connectedAtMs: numberOr(raw.connected_at_ms, 0),
    lastActivityMs: numberOr(raw.last_activity_ms, 0),
  };
}

/** Somebody the user follows who is not connected. */
export function readContact(follow: Fields, reach: unknown): Peer {
  return {
    ...readPeer({ node_id: follow.node_id, display_name: follow.display_name, reach }),
    lastActivityMs: numberOr(follow.last_online_ms, 0),
  };
}
