import type { Clock } from '../sdk/clock.ts';
import { RateLimiter } from '../sdk/kit/rate-limiter.ts';
import type { Counters, Log } from '../sdk/log.ts';
import { DATAGRAM_MAX_BYTES, type FurtherSocket, type SendOutcome, type Sockets } from '../sdk/sockets.ts';
import { formatAddress, isDialable, parseAddress, placeOf } from '../transport/address.ts';
import { transportErrors } from '../transport/errors.ts';
import type { EndpointSocket, RawListener } from '../transport/transport.ts';
import { DatagramRoutes } from './datagram-routes.ts';
import type { NetworkHost } from './wire.ts';

/** Further sockets of one generation of a plugin. */
const SOCKETS_OF_ONE_MAX = 256;
/** A round of 256 sockets at once, or 200 probes a second, leave room for a second peer. */
const SEND_RATE = { perSecond: 500, burst: 1_024, keysMax: 256 } as const;
/** Whoever is named to us must bear this much, and no more. */
const SITE_RATE = { perSecond: 250, burst: 512, keysMax: 4_096 } as const;
/** A plugin's listener shares the event loop with everything else. */
const RECEIVE_RATE = { perSecond: 2_000, burst: 4_000, keysMax: 256 } as const;

export interface SocketLenderDeps {
  readonly network: NetworkHost;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** CIDR texts of ranges that count as public. */
  readonly treatAsPublic: readonly string[];
}

interface Borrower {
  readonly plugin: string;
  /** Aborts when what was borrowed must be given back. */
  readonly signal: AbortSignal;
}

/** The node's sockets as each plugin may use them, see {@link Sockets}: budgets, permitted addresses, prefixes. */
export class SocketLender {
  readonly #deps: SocketLenderDeps;
  readonly #main: DatagramRoutes;
  // By plugin and not by generation: a reload is no way to a full budget.
  readonly #sends: RateLimiter<string>;
  readonly #receives: RateLimiter<string>;
  readonly #sites: RateLimiter<string>;

  constructor(deps: SocketLenderDeps) {
    const { clock } = deps;
    this.#deps = deps;
    this.#main = new DatagramRoutes(deps);
    this.#sends = new RateLimiter({ ...SEND_RATE, clock });
    this.#receives = new RateLimiter({ ...RECEIVE_RATE, clock });
    this.#sites = new RateLimiter({ ...SITE_RATE, clock });
  }

  /** For the datagrams that come to the node's own port. */
  get onDatagram(): RawListener {
    return this.#main.deliver;
  }

  lend(borrower: Borrower): Sockets {
    const { network } = this.#deps;
    const socket = (): EndpointSocket | undefined => network.endpoint?.socket;
    let open = 0;
    return Object.freeze<Sockets>({
      main: Object.freeze({
        get port() {
          return socket()?.port ?? 0;
        },
        localAddresses: () => socket()?.localAddresses().map(formatAddress) ?? [],
        send: this.#sender(borrower, socket),
        receive: this.#receiver(borrower, this.#main),
      }),
      open: async (options = {}) => {
        borrower.signal.throwIfAborted();
        if (open >= SOCKETS_OF_ONE_MAX) throw transportErrors.make('too-many-sockets', { limit: SOCKETS_OF_ONE_MAX });
        open++;
        try {
          return await this.#open(borrower, options, () => open--);
        } catch (error) {
          open--;
          throw error;
        }
      },
    });
  }

  async #open(borrower: Borrower, options: { readonly host?: string }, onClose: () => void): Promise<FurtherSocket> {
    const { network, counters, log } = this.#deps;
    const { signal } = borrower;
    const { endpoint } = network;
    if (endpoint === undefined) throw transportErrors.make('closed', { reason: 'not listening yet' });
    const socket = await endpoint.openSocket(options);
    if (signal.aborted) {
      socket.close();
      throw signal.reason;
    }
    const routes = new DatagramRoutes({ counters, log, anyPrefix: true });
    socket.onDatagram = routes.deliver;
    const close = (): void => {
      if (socket.closed) return;
      signal.removeEventListener('abort', close);
      socket.close();
      onClose();
    };
    signal.addEventListener('abort', close, { once: true });
    return Object.freeze<FurtherSocket>({
      port: socket.port,
      localAddresses: () => socket.localAddresses().map(formatAddress),
      send: this.#sender(borrower, () => socket),
      receive: this.#receiver(borrower, routes),
      accept: () => {
        if (!socket.closed) socket.accept();
      },
      dial: (target, dialOptions) => network.dialFrom(socket, target, dialOptions),
      close,
    });
  }

  #sender({ plugin, signal }: Borrower, socket: () => EndpointSocket | undefined): Sockets['main']['send'] {
    return (datagram, to, { toldFrom = '' } = {}): SendOutcome => {
      const from = socket();
      if (datagram.length === 0 || datagram.length > DATAGRAM_MAX_BYTES) return 'too-long';
      if (from === undefined || from.closed || signal.aborted) return 'unreachable';
      if (!isDialable(to, toldFrom, this.#deps.treatAsPublic)) return 'forbidden';
      if (!this.#sends.allows(plugin) || !this.#sites.take(placeOf(to).site)) return 'over-rate';
      this.#sends.take(plugin);
      return from.send(datagram, parseAddress(to)) ? 'sent' : 'unreachable';
    };
  }

  #receiver({ plugin, signal }: Borrower, routes: DatagramRoutes): Sockets['main']['receive'] {
    return (prefix, listener) => {
      signal.throwIfAborted();
      const release = routes.claim({ owner: plugin, prefix, listener, allowed: () => this.#receives.take(plugin) });
      const stop = (): void => {
        signal.removeEventListener('abort', stop);
        release();
      };
      signal.addEventListener('abort', stop, { once: true });
      return stop;
    };
  }
}
