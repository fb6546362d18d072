import type { Clock, Random } from '../../sdk/clock.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import type { Hello } from '../admission.ts';
import type { CloseInfo, TransportLimits } from '../transport.ts';
import type { QuicConnection } from './connection.ts';

/** What a connection needs of its endpoint. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: Counters;
  readonly log: Log;
  readonly limits: TransportLimits;
  /** Where stream bytes are read into, and datagrams are built. Used by one connection at a time. */
  readonly readBuffer: Uint8Array;
  readonly sendBuffer: Uint8Array;
  /** `read` and `send` run once in this turn of the event loop, `send` after the promises that `read` resolved. */
  scheduleRead(connection: QuicConnection): void;
  scheduleSend(connection: QuicConnection): void;
  /** TLS is done: the peer's certificates are there to be judged. */
  established(connection: QuicConnection, chain: readonly Uint8Array[]): void;
  /** The peer's Hello (when it dialled) or Accept (when we did). */
  greeted(connection: QuicConnection, hello: Hello): void;
  /** It is closed and holds nothing any more; `lastWords` is the datagram that tells the peer, if it was us. */
  ended(connection: QuicConnection, info: CloseInfo, lastWords: Uint8Array | undefined): void;
}
