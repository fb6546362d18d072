import type { Credentials } from '../identity/certificate.ts';
import type { NodeId, PeerId } from '../sdk/identifiers.ts';
import type { AddressBlock } from '../sdk/kit/block-shares.ts';

/**
 * What the wire layer needs of a network. Two implementations: QUIC (`quic/`) and an in-memory network
 * on the injected clock (`memory/`). Nothing above this folder can tell which one it runs on.
 */
export interface Transport {
  /** Opens the one endpoint of a node: it listens and dials on the same port. */
  open(options: EndpointOptions): Promise<Endpoint>;
}

/** A socket address in plain form: IPv4-mapped IPv6 is already IPv4 here (MESH-11). */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

export interface EndpointTarget {
  readonly addresses: readonly SocketAddress[];
  readonly expect?: NodeId;
  /** The socket of this endpoint that the connection is to live on; default: the main one. */
  readonly from?: EndpointSocket;
}

export interface EndpointOptions {
  /** Listen address; port 0 takes a free one. Default `[::]:0` dual-stack, IPv4 only where there is no IPv6. */
  readonly bind?: SocketAddress;
  /** TLS identity: certificate chain and device key as PEM. */
  readonly credentials: Credentials;
  /** A connection was authenticated, in either direction. Streams may arrive at once after this returns. */
  onConnection(connection: Connection): void;
  readonly limits?: Partial<TransportLimits>;
  /** What counts as one address block; default: every address but private ones. */
  readonly blocksOf?: (address: string) => readonly AddressBlock[];
  /** Whom places are kept for, whatever its address; default: nobody. */
  readonly isKept?: (nodeId: NodeId) => boolean;
}

export interface TransportLimits {
  /** MESH-12: QUIC_CONNECT_TIMEOUT, 15,000. */
  readonly dialMs: number;
  /** Idle limit, 30,000; keep-alive runs at a third of it. */
  readonly idleMs: number;
  /** Pending inbound handshakes above which a client must prove its address by a Retry. */
  readonly retryAbovePendingHandshakes: number;
  /** Pending inbound handshakes above which new ones are dropped. */
  readonly maxPendingHandshakes: number;
  /** Handshakes per second and source IP (IPv6: /64). */
  readonly handshakesPerSecondPerIp: number;
  readonly maxConnections: number;
  /** Connections that one address block (an IPv4 address, an IPv6 /64) may dial to us; as many may be under way. A /48: four times. */
  readonly connectionsPerBlock: number;
  /** Of all, those that are kept back for our own dials and for whom we know. */
  readonly connectionsKept: number;
  /** Streams of each kind a peer may have open towards us at once. */
  readonly maxStreamsPerConnection: number;
}

/**
 * Takes a datagram that is neither QUIC nor a probe of ours; the bytes are the listener's. False: it is
 * of no use, and counted as garbage.
 */
export type RawListener = (datagram: Uint8Array, from: SocketAddress) => boolean;

/**
 * A UDP socket of an endpoint: the main one, on which it listens and dials, or a further one. Both carry
 * connections and other datagrams side by side; on a further one everything is another datagram until
 * it accepts or is dialled from.
 */
export interface EndpointSocket {
  readonly port: number;
  /** No longer the caller's; connections may still live on it. */
  readonly closed: boolean;
  /** As {@link Endpoint.localAddresses}. */
  localAddresses(): readonly SocketAddress[];
  /** Until one is set, such datagrams are counted as garbage. */
  onDatagram: RawListener;
  /** Sends a datagram that is not QUIC; the bytes are copied. False when this socket cannot reach that address or is closed. */
  send(datagram: Uint8Array, to: SocketAddress): boolean;
  /** From now on peers may dial this socket. The main one accepts from the start. */
  accept(): void;
  /** Ends accepting and other datagrams at once, and the socket itself with the last connection on it. */
  close(): void;
}

export interface Endpoint {
  readonly port: number;
  /** The socket that everything uses by default; lives as long as the endpoint. */
  readonly socket: EndpointSocket;
  /** Interface addresses this endpoint is reachable at, `port` included; no wildcard. */
  localAddresses(): readonly SocketAddress[];
  /**
   * Dials the addresses in order until one authenticates as `expect`. When a connection to the same
   * (NodeId, DeviceId) exists or wins the simultaneous-dial rule, that one is returned.
   *
   * The peer's own consent is waited for only where two dials may cross. A peer that refuses ends the dial
   * with transport/refused, or else the connection, which then is `closed.refused`.
   *
   * @throws transport/dial-timeout, transport/wrong-node, transport/bad-certificate,
   *   transport/refused, transport/unreachable, or the signal's reason.
   */
  dial(target: EndpointTarget, signal?: AbortSignal): Promise<Connection>;
  /**
   * Opens one more socket at a free port, on the main one's local address unless `host` names another.
   * At most 512 at once.
   *
   * @throws transport/bind-failed, transport/too-many-sockets, transport/closed
   */
  openSocket(options?: { readonly host?: string }): Promise<EndpointSocket>;
  connections(): Iterable<Connection>;
  counters(): Readonly<Record<string, number>>;
  /** Closes every connection with `shutting-down`, waits until the closes are sent (at most 1 s), frees the socket. */
  close(): Promise<void>;
}

export interface Connection {
  /** Never reused in this process. */
  readonly id: number;
  readonly peer: PeerId;
  readonly direction: 'inbound' | 'outbound';
  /** May change when the path does. */
  readonly remote: SocketAddress;
  readonly openedAtMs: number;
  readonly closed: CloseInfo | undefined;
  /** Set by the wire layer; called for each stream the peer opens. */
  onStream: (stream: TransportStream & IncomingStream) => void;
  onClose: (info: CloseInfo) => void;
  /**
   * Opens a stream. When the peer's stream limit is reached the open is queued (cap 1,024, then
   * transport/too-many-streams) and runs in order as limits rise.
   */
  openBi(signal?: AbortSignal): Promise<TransportStream> | TransportStream;
  openUni(signal?: AbortSignal): Promise<TransportStream> | TransportStream;
  close(code: number, reason: string): void;
  stats(): ConnectionStats;
}

export interface CloseInfo {
  /** True when the peer or the network ended it. */
  readonly byPeer: boolean;
  /** Application close code, or undefined for transport-level ends. */
  readonly code: number | undefined;
  /** CloseReason name, `idle-timeout`, or `transport/<name>`. */
  readonly reason: string;
  /** The peer never took the connection: nothing that was sent on it has been read. */
  readonly refused?: boolean;
}

export interface ConnectionStats {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Up to a second old. */
  readonly rttMs: number | undefined;
  readonly datagramBytes: number;
}

/**
 * A QUIC stream as callbacks, so that a frame that fits one read costs no promise and no copy.
 * `onData` chunks are valid only during the call: whoever keeps bytes copies them.
 */
export interface Stream {
  readonly id: number;
  readonly connection: Connection;
  /** Bytes of the peer; `fin` with the last (possibly empty) chunk. Not called on streams we opened as uni. */
  onData: (chunk: Uint8Array, fin: boolean) => void;
  /** The peer reset its half, stopped reading ours, or the connection ended. At most once, never after fin on both halves. */
  onAbort: (reason: StreamAbort) => void;
  /** No `onData` until `resume`: unread bytes stay in QUIC's window, so the peer is pushed back. */
  pause(): void;
  resume(): void;
  /** Queues bytes (the buffer is the stream's from now on). */
  write(bytes: Uint8Array, fin: boolean): void;
  /** Bytes queued and not yet taken by QUIC. */
  readonly pendingBytes: number;
  /** Resolves when `pendingBytes` is below 256 KiB; rejects when the stream ends first. */
  writable(signal?: AbortSignal): Promise<void>;
  /**
   * Ends both halves abruptly with an application error code: RESET_STREAM for ours, STOP_SENDING for
   * theirs. Of a peer's uni-stream up to 64 KiB are read and dropped first, which costs less than the
   * stream credit that stopping it would cost.
   */
  abort(code: number): void;
}

/** A stream of the connection itself, and no part of one that others share. */
export interface TransportStream extends Stream {
  /**
   * As `write` without an end, for who writes often: what is appended in one turn of the event loop
   * leaves as one write, at the end of the turn, before the next `write`, or before a close. The bytes
   * are copied.
   */
  append(bytes: Uint8Array): void;
}

export interface IncomingStream extends Stream {
  readonly kind: 'bi' | 'uni';
}

export interface StreamAbort {
  readonly by: 'peer' | 'connection';
  readonly code: number | undefined;
}
