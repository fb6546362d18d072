import type { PeerId, NodeId } from './identifiers.ts';
import type { AddressBlock } from './kit/block-shares.ts';
import { defineResource } from './token.ts';
import { defineTopic } from './topic.ts';

/** How a connection is used; set by the plugin that manages connections (`ephemeral` until then). */
export type ConnectionKind = 'ephemeral' | 'mesh' | 'session' | 'keep-alive' | 'lan';

/** One live connection as anybody may see it (MESH-04). A frozen snapshot. */
export interface ConnectionInfo {
  /** Stable for the life of the connection and never reused in this process (MESH-10). */
  readonly id: number;
  readonly peer: PeerId;
  readonly direction: 'inbound' | 'outbound';
  readonly kind: ConnectionKind;
  /** Plain IPv4 where the peer is IPv4 (MESH-11): `192.0.2.1:4433`, `[2001:db8::1]:4433`. */
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  /** Last frame sent or received (MESH-09). */
  readonly lastActivityMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly rttMs: number | undefined;
}

export interface DialTarget {
  /** The identity the far end must prove; absent only where any peer will do. */
  readonly nodeId?: NodeId;
  /** `host:port` texts, tried in order. */
  readonly addresses: readonly string[];
}

/** The kernel-owned endpoint: connections outlive the plugins that use them. */
export interface Network {
  readonly self: PeerId;
  /** The UDP port all traffic uses. */
  readonly port: number;
  /** `host:port` texts this node can be dialled at, best first; includes `--bind`/config advertisements. */
  localAddresses(): readonly string[];
  /** Dials and authenticates. Resolves with an existing connection to that peer if there is one. @throws transport/* */
  dial(target: DialTarget, options?: { signal?: AbortSignal }): Promise<ConnectionInfo>;
  connections(): readonly ConnectionInfo[];
  /** How many there are of a kind: for who asks at every event, and need not know which. */
  countOf(kind: ConnectionKind): number;
  connection(id: number): ConnectionInfo | undefined;
  /** Its kind alone, and the time of its last byte (MESH-09): for who looks at every connection time and again. */
  kindOf(id: number): ConnectionKind | undefined;
  lastActivityMsOf(id: number): number | undefined;
  /** The connections of one identity, oldest first: one for each of its devices. */
  connectionsOf(nodeId: NodeId): readonly ConnectionInfo[];
  setKind(id: number, kind: ConnectionKind): void;
  /** What the peer at the other end offers; empty until it has told (`setFeaturesOf`). */
  featuresOf(id: number): ReadonlySet<string>;
  /**
   * For the plugin that learns it: raw bytes are sent only to a peer that offers `raw-blob`, and small
   * frames on shared streams only to one that offers `shared-streams`.
   */
  setFeaturesOf(id: number, features: readonly string[]): void;
  /** Closes with a named reason (`CLOSE_CODES`); does nothing when it is gone already. */
  close(id: number, reason: CloseReason): void;
  /**
   * Whether an address that somebody told us may be dialled: a public one always, one of a narrower
   * scope only from a teller whom we see in that same scope (`toldFrom`, its `remoteAddr`). Never a
   * host name, a multicast or an unspecified address, whoever told it.
   */
  mayDial(address: string, toldFrom: string): boolean;
  /**
   * What counts as one holder of addresses, for shares by {@link BlockShares}: an IPv4 address; of an IPv6 one its
   * /64 and its /48. `[]` for one that is not counted: this machine, private ranges (setting `sharesExcept`), no address.
   */
  blocksOf(address: string): readonly AddressBlock[];
  /** Whom places for connections are kept for, whatever its address, until `signal` aborts. */
  keepPlaces(isKept: (nodeId: NodeId) => boolean, signal: AbortSignal): void;
  /** What this node offers to peers at this moment: features and codes of active plugins and the kernel's own, sorted. */
  features(): readonly string[];
}

/** Application close codes on the QUIC connection (RFC 9000 §19.19, frame type 0x1d). */
export const CLOSE_CODES = {
  done: 0x00,
  'shutting-down': 0x01,
  'duplicate-connection': 0x02,
  'bad-certificate': 0x03,
  'wrong-node': 0x04,
  misbehaviour: 0x05,
  'mesh-full': 0x06,
  zombie: 0x07,
  'user-request': 0x08,
  'over-capacity': 0x09,
  /** The handshake did not come, or made no sense. */
  'exchange-failed': 0x0a,
  /** The peers speak protocol versions that do not meet. */
  incompatible: 0x0b,
} as const;
export type CloseReason = keyof typeof CLOSE_CODES;

export const NETWORK = defineResource<Network>('network');

export const connectionOpened = defineTopic<ConnectionInfo>('connection/opened');
/** `reason` is a CloseReason of either side, `idle-timeout`, `peer-vanished` or `transport/...`. */
export const connectionClosed = defineTopic<ConnectionInfo & { readonly reason: string; readonly byPeer: boolean }>(
  'connection/closed',
);
