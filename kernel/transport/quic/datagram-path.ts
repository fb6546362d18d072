import type { SocketAddress } from '../transport.ts';

/**
 * Where the datagrams of one connection go: a socket of the endpoint and a remote. A connection holds
 * a path rather than a socket, so that it can live on another socket or inside a tunnel.
 */
export interface DatagramPath {
  readonly remote: SocketAddress;
  /** Most bytes of one datagram this path may ever carry; what it does carry is found by probing. */
  readonly maxDatagramBytes: number;
  /** quiche's unit of congestion control, at least `maxDatagramBytes`. */
  readonly windowUnitBytes: number;
  /** Whether it may leave the house: what loses packets there need not be a crowded link. */
  readonly isLong: boolean;
  /** True when a datagram from there came along this path; `host` as the system writes it. */
  matches(host: string, port: number): boolean;
  /** Sends the first `length` bytes of `buffer`, which is free again when this returns. Loss is silent. */
  send(buffer: Uint8Array, length: number): void;
  /** The same way out to another remote: QUIC found that the peer's address changed. */
  towards(remote: SocketAddress): DatagramPath;
}
