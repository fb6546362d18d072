import type { ConnectionInfo, DialTarget } from './network.ts';
import { defineResource } from './token.ts';

/** Longest datagram sent or taken beside QUIC: what every path carries without fragments. */
export const DATAGRAM_MAX_BYTES = 1_200;

/**
 * What became of a datagram. `sent` says that the system took it: it may be lost like any other.
 * `over-rate`: try later. `forbidden`: nobody may be told to send there, see {@link DatagramSocket.send}.
 * `unreachable`: not from this socket (its family), not before the node listens, or the socket is closed.
 */
export type SendOutcome = 'sent' | 'over-rate' | 'forbidden' | 'too-long' | 'unreachable';

/** A UDP socket of the node, for datagrams that are not QUIC. Addresses are `host:port` texts. */
export interface DatagramSocket {
  /** 0 until the node listens. */
  readonly port: number;
  localAddresses(): readonly string[];
  /**
   * Sends 1 to {@link DATAGRAM_MAX_BYTES} bytes, which are copied.
   *
   * A public address may always be sent to; one of a narrower scope (a LAN, this machine) only when
   * `toldFrom`, the address of who named it, is of that scope: to answer, name the sender itself. Host
   * names, multicast and unspecified addresses are forbidden. A plugin may send 500 a second (1,024 at
   * once), and all plugins together 250 a second (512 at once) to one site (an IPv4 address, an IPv6 /64).
   */
  send(datagram: Uint8Array, to: string, options?: { readonly toldFrom?: string }): SendOutcome;
  /**
   * Calls `listener` with every datagram that begins with these bytes, until the returned function is
   * called or the generation ends. At most 2,000 a second for all sockets of a plugin (4,000 at once),
   * and of at most {@link DATAGRAM_MAX_BYTES}; what is beyond is dropped and counted.
   *
   * 1 to 16 bytes, of which the first is below 0x40 and not 0x20: the others are QUIC's and the kernel's.
   * With 0x00 to 0x03 only well-formed STUN arrives. A plugin's later listener takes the place of its
   * earlier one for as long as it is there, so a new generation may listen before the old one has ended.
   *
   * @throws transport/bad-prefix, transport/prefix-taken (by another plugin), transport/too-many-prefixes (32 on a socket)
   */
  receive(prefix: Uint8Array, listener: (datagram: Uint8Array, from: string) => void): () => void;
}

/**
 * One more socket, at a port of its own. It closes with its generation, unless a connection lives on it:
 * then with the last connection.
 */
export interface FurtherSocket extends DatagramSocket {
  /**
   * As on the main socket, but before the first `accept` or `dial` any prefix may be asked for, also the
   * empty one, and everything arrives that begins with it.
   */
  receive(prefix: Uint8Array, listener: (datagram: Uint8Array, from: string) => void): () => void;
  /** From now on peers may dial this socket. */
  accept(): void;
  /**
   * As {@link Network.dial}, with the connection living on this socket. What exists to that peer already is
   * returned instead, wherever it lives.
   *
   * @throws transport/*
   */
  dial(target: DialTarget, options?: { readonly signal?: AbortSignal }): Promise<ConnectionInfo>;
  close(): void;
}

/** The node's UDP sockets, beside and below its connections. */
export interface Sockets {
  /** The socket that the node listens and dials on: peers see its datagrams come from the node's own port. */
  readonly main: DatagramSocket;
  /**
   * Opens a further socket; at most 256 for a generation and 512 in the node. `host` is a local address
   * to bind to; default: as the main socket.
   *
   * @throws transport/too-many-sockets, transport/bind-failed, transport/closed (before the node listens, or after)
   */
  open(options?: { readonly host?: string }): Promise<FurtherSocket>;
}

export const SOCKETS = defineResource<Sockets>('sockets');
