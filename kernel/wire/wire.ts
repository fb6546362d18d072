import type { AddressBlock } from '../sdk/kit/block-shares.ts';
import type { Bus } from '../bus/bus.ts';
import type { Credentials } from '../identity/certificate.ts';
import type { Clock } from '../sdk/clock.ts';
import type { NodeId, PeerId } from '../sdk/identifiers.ts';
import type { Counters, Log } from '../sdk/log.ts';
import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import type { ConnectionInfo, DialTarget, Network } from '../sdk/network.ts';
import type { SendOptions } from '../sdk/plugin.ts';
import type {
  Connection,
  Endpoint,
  EndpointSocket,
  RawListener,
  SocketAddress,
  Transport,
  TransportLimits,
} from '../transport/transport.ts';
import type { MessageRouter } from './message-router.ts';
import type { Trace } from './trace.ts';

export interface DispatcherDeps {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

/** What the dispatcher keeps of one connection. */
export interface Attachment {
  /** Last frame in either direction, milliseconds since the epoch (MESH-09). */
  readonly lastActivityMs: number;
  /** What the peer offers, as far as it has told. */
  features: ReadonlySet<string>;
}

export interface AttachOptions {
  /** The address blocks that its misbehaviour is charged to as well; a stranger from a block with too many is closed. */
  readonly blocks?: readonly AddressBlock[];
  /** It is served whatever others from its address did. */
  readonly kept?: boolean;
}

/** Frames in and out of every attached connection; see {@link MessageRouter} for what runs them. */
export interface Dispatcher {
  readonly router: MessageRouter;
  readonly trace: Trace;
  /**
   * Serves the streams of a connection from now on. Takes over `onStream`; `onClose` stays with the
   * caller, who passes it on through `detach`.
   */
  attach(connection: Connection, options?: AttachOptions): Attachment;
  /** The connection is gone: running handlers are aborted, waiting sends rejected. */
  detach(connection: Connection): void;
  /**
   * Sends on this connection. A notice resolves once the transport took it (backpressure respected),
   * a request with the validated answer.
   *
   * A request that failed with wire/unsupported, wire/rate-limited, wire/over-capacity,
   * wire/not-connected, wire/connection-refused or wire/bad-body was not handled and may be sent again. After wire/deadline,
   * wire/connection-closed, wire/interrupted, wire/bad-response, wire/refused or an abort it may have
   * been handled: repeat only what the receiver can tell from a second one.
   *
   * @throws the codes above, or the signal's reason.
   */
  send<M extends AnyMessage>(
    connection: Connection,
    message: M,
    body: BodyOf<M>,
    options?: SendOptions,
  ): Promise<ResponseOf<M>>;
  /** Aborts what runs, rejects what waits, stops the one timer. */
  close(): void;
}

export interface NetworkDeps {
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly dispatcher: Dispatcher;
  readonly bus: Bus;
  readonly clock: Clock;
  /** What plugins offer to peers at this moment, besides what the wire layer itself offers; asked at each call. */
  readonly features: () => readonly string[];
  readonly bind?: SocketAddress;
  /** `host:port` texts put before the interface addresses. */
  readonly advertise?: readonly string[];
  readonly limits?: Partial<TransportLimits>;
  /** CIDR texts of ranges whose addresses have no share; default: private ones. */
  readonly sharesExcept?: readonly string[];
  /** CIDR texts of ranges that count as public. */
  readonly treatAsPublic?: readonly string[];
  /** Takes what comes to the node's port and is not QUIC. */
  readonly onDatagram?: RawListener;
}

/** The `network` resource with what the kernel itself needs of it. */
export interface NetworkHost extends Network {
  /** Undefined until `listen`. */
  readonly endpoint: Endpoint | undefined;
  /** Opens the endpoint; connections are accepted from here on. @throws transport/* */
  listen(): Promise<void>;
  /** As {@link Network.dial}, from this socket of the endpoint. */
  dialFrom(
    socket: EndpointSocket,
    target: DialTarget,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ConnectionInfo>;
  /**
   * Sends to any live connection of a node or device: `options.connectionId`, or else the newest.
   * See {@link Dispatcher.send}. @throws wire/not-connected when there is none.
   */
  sendTo<M extends AnyMessage>(
    peer: NodeId | PeerId,
    message: M,
    body: BodyOf<M>,
    options?: SendOptions,
  ): Promise<ResponseOf<M>>;
  counters(): Readonly<Record<string, number>>;
  /** Closes every connection with `shutting-down` and frees the socket. */
  shutdown(): Promise<void>;
}
