import { CONNECTIONS_KEPT, CONNECTIONS_PER_BLOCK } from '../sdk/kit/block-shares.ts';
import type { TransportLimits } from './transport.ts';

export const DEFAULT_LIMITS: TransportLimits = {
  dialMs: 15_000, // QUIC_CONNECT_TIMEOUT (MESH-12)
  idleMs: 30_000,
  retryAbovePendingHandshakes: 32,
  maxPendingHandshakes: 512,
  handshakesPerSecondPerIp: 50,
  maxConnections: 1_024,
  connectionsPerBlock: CONNECTIONS_PER_BLOCK,
  connectionsKept: CONNECTIONS_KEPT,
  maxStreamsPerConnection: 128,
};

/** Opens that wait for the peer's stream limit; the next one fails with transport/too-many-streams. */
export const QUEUED_OPENS_MAX = 1_024;

/** Writers that wait for one stream; a further one fails with transport/too-many-writers. */
export const WAITING_WRITERS_MAX = 64;

/** `Stream.writable` resolves below this. */
export const WRITE_QUEUE_LOW_BYTES = 256 * 1024;

/** Further sockets of an endpoint: one strategy of hole punching takes 256, and a reload may hold two generations. */
export const SOCKETS_MAX = 512;
