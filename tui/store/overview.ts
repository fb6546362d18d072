import { safeLine } from '../safe-text.ts';
import { list, numberOr, record } from './post.ts';

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

/** `mesh slots`. */
export interface Slots {
  readonly held: number;
  readonly limit: number;
  readonly preferred: number;
  readonly preferredLimit: number;
  /** Connections by their kind. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** What the summary shows besides `status`; `undefined` for what a plugin that is off would know. */
export interface Overview {
  readonly slots: Slots | undefined;
  readonly growth: string | undefined;
  readonly searching: number | undefined;
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

export function readOverview(
  slots: Fields | undefined,
  growth: Fields | undefined,
  searches: Fields | undefined,
): Overview {
  return {
    slots: slots === undefined ? undefined : readSlots(slots),
    growth: growth === undefined ? undefined : safeLine(growth.verdict),
    searching: searches === undefined ? undefined : list(searches.running).length,
  };
}

function readSlots(raw: Fields): Slots {
  const kinds = Object.entries(record(raw.connections)).slice(0, 16);
  return {
    held: numberOr(raw.held, 0),
    limit: numberOr(raw.limit, 0),
    preferred: numberOr(raw.preferred_held, 0),
    preferredLimit: numberOr(raw.preferred_limit, 0),
    kinds: Object.fromEntries(kinds.map(([kind, ids]) => [safeLine(kind, 24), list(ids).length])),
  };
}
