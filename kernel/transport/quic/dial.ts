import type { Clock, TimerHandle } from '../../sdk/clock.ts';
import { codeOf, type ItsgoinError } from '../../sdk/errors.ts';
import type { NodeId } from '../../sdk/identifiers.ts';
import { CLOSE_CODES } from '../../sdk/network.ts';
import { transportErrors } from '../errors.ts';
import type { CloseInfo, Connection, SocketAddress, TransportLimits } from '../transport.ts';
import type { QuicConnection } from './connection.ts';
import type { QuicSocket } from './quic-socket.ts';

/** An address that has not answered by now gets company from the next one. */
const NEXT_ADDRESS_MS = 250;
/** How long the connection we were rejected in favour of may take to show up before we insist. */
const INSIST_AFTER_MS = 2_000;

/** What a dial needs of its endpoint. */
export interface DialDelegate {
  readonly clock: Clock;
  readonly limits: TransportLimits;
  /** Starts a handshake; undefined when the address cannot be reached from this socket. */
  connect(address: SocketAddress, dial: Dial): QuicConnection | undefined;
  /** The open connection to this device, if there is one. */
  openTo(peerKey: string): QuicConnection | undefined;
  finished(dial: Dial): void;
}

/** One `Endpoint.dial`: attempts on each address, of which the first to authenticate goes on. */
export class Dial {
  readonly expect: NodeId | undefined;
  /** The socket the connection is to live on. */
  readonly from: QuicSocket;
  readonly result: Promise<Connection>;
  /** The device this dial has found; the connection that opens to it is the answer, whoever dialled it. */
  peerKey: string | undefined;
  insists = false;

  readonly #delegate: DialDelegate;
  readonly #addresses: SocketAddress[];
  readonly #attempts = new Map<QuicConnection, SocketAddress>();
  readonly #signal: AbortSignal | undefined;
  #error: ItsgoinError | undefined;
  #next: TimerHandle | undefined;
  #deadline: TimerHandle;
  #settled = false;
  #resolve!: (connection: Connection) => void;
  #reject!: (reason: unknown) => void;

  constructor(
    host: DialDelegate,
    addresses: readonly SocketAddress[],
    expect: NodeId | undefined,
    signal: AbortSignal | undefined,
    from: QuicSocket,
  ) {
    this.#delegate = host;
    this.#addresses = [...addresses];
    this.expect = expect;
    this.from = from;
    this.#signal = signal;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { dialMs } = host.limits;
    this.#deadline = host.clock.timer(dialMs, () => {
      this.#fail(this.#error ?? transportErrors.make('dial-timeout', { ms: dialMs }));
    });
    this.#tryNext();
  }

  /** This attempt has authenticated. False: another one already has, or the dial is over. */
  verified(attempt: QuicConnection): boolean {
    if (this.#settled || this.peerKey !== undefined) return false;
    this.peerKey = attempt.key;
    this.#next?.cancel();
    for (const other of [...this.#attempts.keys()]) if (other !== attempt) this.#drop(other);
    return true;
  }

  opened(connection: QuicConnection): void {
    if (connection.key === this.peerKey) this.#succeed(connection);
  }

  /** An attempt is over without success. `error` when we refused the peer ourselves. */
  ended(attempt: QuicConnection, info: CloseInfo, error: ItsgoinError | undefined): void {
    const address = this.#attempts.get(attempt);
    if (address === undefined || this.#settled) return;
    this.#attempts.delete(attempt);
    if (info.byPeer && info.code === CLOSE_CODES['duplicate-connection'] && this.peerKey !== undefined) {
      this.#takeOther(this.peerKey, address);
      return;
    }
    this.peerKey = undefined;
    const found = error ?? errorOf(info, this.#delegate.limits.dialMs);
    // A named refusal says more than the silence of another address.
    if (this.#error === undefined || codeOf(this.#error) === transportErrors.code('unreachable')) this.#error = found;
    this.#tryNext();
  }

  fail(reason: unknown): void {
    this.#fail(reason);
  }

  /** The peer prefers a connection between us that we may not have seen yet. */
  #takeOther(peerKey: string, address: SocketAddress): void {
    const open = this.#delegate.openTo(peerKey);
    if (open !== undefined) {
      this.#succeed(open);
      return;
    }
    this.#next = this.#delegate.clock.timer(INSIST_AFTER_MS, () => {
      this.insists = true;
      this.peerKey = undefined;
      this.#try(address);
    });
  }

  #tryNext(): void {
    this.#next?.cancel();
    const address = this.#addresses.shift();
    if (address !== undefined) {
      this.#try(address);
      if (!this.#settled && this.#addresses.length > 0)
        this.#next = this.#delegate.clock.timer(NEXT_ADDRESS_MS, () => this.#tryNext());
    } else if (this.#attempts.size === 0) {
      this.#fail(this.#error ?? transportErrors.make('unreachable'));
    }
  }

  #try(address: SocketAddress): void {
    const attempt = this.#delegate.connect(address, this);
    if (attempt !== undefined) this.#attempts.set(attempt, address);
    else this.#tryNext();
  }

  #drop(attempt: QuicConnection): void {
    this.#attempts.delete(attempt);
    attempt.close(CLOSE_CODES.done, 'done');
  }

  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);

  #succeed(connection: QuicConnection): void {
    if (this.#settled) return;
    this.#attempts.clear();
    this.#settle();
    this.#resolve(connection);
  }

  #fail(reason: unknown): void {
    if (this.#settled) return;
    this.#settle();
    for (const attempt of [...this.#attempts.keys()]) this.#drop(attempt);
    this.#reject(reason);
  }

  #settle(): void {
    this.#settled = true;
    this.#next?.cancel();
    this.#deadline.cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#delegate.finished(this);
  }
}

function errorOf(info: CloseInfo, dialMs: number): ItsgoinError {
  switch (info.code) {
    case CLOSE_CODES['bad-certificate']:
      return transportErrors.make('bad-certificate', { reason: 'the other node does not accept ours' });
    case CLOSE_CODES['wrong-node']:
      return transportErrors.make('wrong-node');
    case undefined:
      if (info.reason === 'idle-timeout' || info.reason === 'transport/dial-timeout')
        return transportErrors.make('dial-timeout', { ms: dialMs });
      break;
  }
  return transportErrors.make('refused', { reason: info.reason });
}
