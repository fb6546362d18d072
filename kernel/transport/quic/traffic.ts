import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import { roundTripMs } from './native-state.ts';

/** A round-trip time that is asked for is at most this much older than the last datagram. */
const SAMPLE_MS = 1_000;

/**
 * What `ConnectionStats` says of a connection, kept here: whoever lists all connections asks for it, and a
 * call into quiche costs more than the rest of the list.
 */
export class Traffic {
  bytesIn = 0;
  bytesOut = 0;
  rttMs: number | undefined;
  #sampledAt = Number.NEGATIVE_INFINITY;

  /** Asks quiche for the round-trip time, once a second at most. */
  sample(native: NativeConnection, now: number): void {
    if (now - this.#sampledAt < SAMPLE_MS) return;
    this.#sampledAt = now;
    this.rttMs = roundTripMs(native);
  }
}
