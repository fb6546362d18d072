import type { Clock, Random } from '../../sdk/clock.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import type { Hello } from '../admission.ts';
import type { CloseInfo, TransportLimits } from '../transport.ts';

/** What a connection, `C`, needs of its endpoint. */
export interface ConnectionDelegate<C> {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: Counters;
  readonly log: Log;
  readonly limits: TransportLimits;
  /** Where stream bytes are read into, and datagrams are built. Used by one connection at a time. */
  readonly readBuffer: Uint8Array;
  readonly sendBuffer: Uint8Array;
  /** `read` and `send` run once in this turn of the event loop, `send` after the promises that `read` resolved. */
  scheduleRead(connection: C): void;
  scheduleSend(connection: C): void;
  /** TLS is done: the peer's certificates are there to be judged. */
  established(connection: C, chain: readonly Uint8Array[]): void;
  /** The peer's Hello (when it dialled) or Accept (when we did). */
  greeted(connection: C, hello: Hello): void;
  /** It is closed and holds nothing any more; `lastWords` is the datagram that tells the peer, if it was us. */
  ended(connection: C, info: CloseInfo, lastWords: Uint8Array | undefined): void;
}
