import { linkSignals } from '../../clock/index.ts';
import type { Clock, Random } from '../../sdk/clock.ts';
import { codeOf } from '../../sdk/errors.ts';
import { type NodeId, peerKey, type PeerId } from '../../sdk/identifiers.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import { CLOSE_CODES } from '../../sdk/network.ts';
import type { Hello, Verdict } from '../admission.ts';
import { transportErrors } from '../errors.ts';
import { DEFAULT_LIMITS, SOCKETS_MAX } from '../limits.ts';
import { ConnectionShares } from '../connection-shares.ts';
import { PeerTable } from '../peer-table.ts';
import { socketAddress } from '../address.ts';
import type {
  Connection,
  Endpoint,
  EndpointOptions,
  EndpointSocket,
  EndpointTarget,
  SocketAddress,
  TransportLimits,
} from '../transport.ts';
import type { ConnectionDelegate, MemoryConnection } from './connection.ts';
import { MemorySocket } from './socket.ts';

/** How long the connection we were rejected in favour of may take to show up before we insist. */
const INSIST_AFTER_MS = 2_000;

/** Our own dial between the handshake and its Accept. */
interface PendingDial {
  readonly direction: 'outbound';
  readonly incarnation: undefined;
}

/** A socket of an endpoint of this network. */
export type BoundSocket = MemorySocket<MemoryEndpoint>;

/** The network an endpoint is part of. */
export interface EndpointHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  link(host: string, other: string): { readonly latencyMs: number };
  /** @throws transport/bind-failed */
  bind(endpoint: MemoryEndpoint, address: SocketAddress): BoundSocket;
  freePort(): number;
  remove(socket: BoundSocket): void;
  /** Brings a datagram over, or loses it. `garbage` is called when the receiver has no use for it. */
  carry(from: BoundSocket, to: SocketAddress, datagram: Uint8Array, garbage: (at: MemoryEndpoint) => void): void;
  /** One round trip to whoever accepts at `address`; waits for the signal when nobody does. */
  handshake(from: BoundSocket, address: SocketAddress, signal: AbortSignal): Promise<BoundSocket>;
  /** Brings the Hello over; resolves with the opened connection, or why there is none. */
  greet(
    from: BoundSocket,
    target: BoundSocket,
    hello: Hello,
    signal: AbortSignal,
  ): Promise<MemoryConnection | 'reject' | 'over-capacity'>;
}

/** A node of the in-memory network. */
export class MemoryEndpoint implements Endpoint, ConnectionDelegate {
  readonly port: number;
  readonly address: SocketAddress;
  readonly socket: BoundSocket;
  readonly self: PeerId;
  readonly limits: TransportLimits;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly log: Log;

  readonly #network: EndpointHost;
  readonly #options: EndpointOptions;
  readonly #counters: Counters;
  readonly #peers = new PeerTable<MemoryConnection | PendingDial>();
  readonly #shares: ConnectionShares<MemoryConnection>;
  readonly #live = new Set<MemoryConnection>();
  readonly #further = new Set<BoundSocket>();
  readonly #waiting = new Map<string, Set<(connection: MemoryConnection) => void>>();
  readonly #closing = new AbortController();

  constructor(network: EndpointHost, address: SocketAddress, options: EndpointOptions, counters: Counters) {
    this.#network = network;
    this.#options = options;
    this.#counters = counters;
    this.clock = network.clock;
    this.log = network.log;
    this.address = address;
    this.port = address.port;
    this.self = options.credentials.self;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#shares = new ConnectionShares(this.limits, options);
    this.incarnation = Buffer.from(network.random.bytes(8)).toString('hex');
    this.socket = network.bind(this, address);
    this.socket.accept();
  }

  localAddresses(): readonly SocketAddress[] {
    return [this.address];
  }

  async openSocket({ host = this.address.host }: { readonly host?: string } = {}): Promise<EndpointSocket> {
    if (this.#closing.signal.aborted) throw transportErrors.make('closed', { reason: 'shutting-down' });
    if (this.#further.size >= SOCKETS_MAX) throw transportErrors.make('too-many-sockets', { limit: SOCKETS_MAX });
    if (host !== this.address.host)
      throw transportErrors.make('bind-failed', { address: `${host}:0`, reason: 'EADDRNOTAVAIL' });
    const socket = this.#network.bind(this, socketAddress(host, this.#network.freePort()));
    this.#further.add(socket);
    return socket;
  }

  async dial(target: EndpointTarget, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw transportErrors.make('closed', { reason: 'shutting-down' });
    const from = this.#own(target.from);
    if (this.#live.size >= this.limits.maxConnections)
      throw transportErrors.make('too-many-connections', { limit: this.limits.maxConnections });
    const { dialMs } = this.limits;
    const linked = linkSignals([signal, this.#closing.signal], { clock: this.clock, deadlineMs: dialMs });
    from.enter();
    let failure: unknown = transportErrors.make('unreachable');
    try {
      for (const address of target.addresses) {
        try {
          return await this.#attempt(from, address, target.expect, linked.signal, false);
        } catch (error) {
          if (linked.signal.aborted) throw error;
          if (codeOf(failure) === transportErrors.code('unreachable')) failure = error;
        }
      }
      throw failure;
    } catch (error) {
      if (codeOf(error) === 'clock/deadline') throw transportErrors.make('dial-timeout', { ms: dialMs });
      throw error;
    } finally {
      from.leave();
      linked.dispose();
    }
  }

  *connections(): Iterable<Connection> {
    for (const connection of this.#peers.connections()) if ('id' in connection) yield connection;
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters.read();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(transportErrors.make('closed', { reason: 'shutting-down' }));
    for (const connection of [...this.#live]) connection.close(CLOSE_CODES['shutting-down'], 'shutting-down');
    for (const socket of [this.socket, ...this.#further]) this.#network.remove(socket);
  }

  // What follows is for the network and the connections.

  get live(): Iterable<MemoryConnection> {
    return this.#live;
  }

  rttMs(host: string): number {
    return 2 * this.#network.link(this.address.host, host).latencyMs;
  }

  carry(from: BoundSocket, to: SocketAddress, datagram: Uint8Array): void {
    this.#network.carry(from, to, datagram, (at) => at.#counters.add('garbage'));
  }

  /** A further socket is closed and no connection lives on it. */
  freed(socket: BoundSocket): void {
    this.#further.delete(socket);
    this.#network.remove(socket);
  }

  ended(connection: MemoryConnection): void {
    if (this.#live.delete(connection)) connection.socket.leave();
    this.#shares.ended(connection);
    this.#peers.remove(peerKey(connection.peer), connection);
  }

  /** A Hello from `dialler` has arrived, from this address. */
  judge(dialler: PeerId, from: SocketAddress, hello: Hello): Verdict | 'over-capacity' {
    const key = peerKey(dialler);
    const verdict = this.#peers.judge(
      key,
      hello,
      { incarnation: this.incarnation, deviceId: this.self.deviceId },
      dialler.deviceId,
    );
    if (verdict === 'reject') this.#counters.add('duplicate-connection');
    if (verdict === 'reject' || this.#peers.open(key) !== undefined) return verdict;
    if (this.#shares.hasRoom(dialler.nodeId, from, this.#peers.size)) return verdict;
    this.#counters.add('over-capacity');
    return 'over-capacity';
  }

  enter(connection: MemoryConnection): void {
    const key = peerKey(connection.peer);
    const previous = this.#peers.enter(key, connection);
    connection.openedAtMs = this.clock.now();
    this.#live.add(connection);
    if (connection.direction === 'inbound') this.#shares.enter(connection, connection.peer.nodeId, connection.remote);
    connection.socket.enter();
    this.#options.onConnection(connection);
    for (const waiter of [...(this.#waiting.get(key) ?? [])]) waiter(connection);
    if (previous !== undefined && 'id' in previous) {
      this.#counters.add('replaced-connection');
      previous.close(CLOSE_CODES['duplicate-connection'], 'duplicate-connection');
    }
  }

  /** The socket of this endpoint that it is; the main one by default. @throws transport/closed */
  #own(socket: EndpointSocket | undefined): BoundSocket {
    if (socket === undefined || socket === this.socket) return this.socket;
    if (socket instanceof MemorySocket && this.#further.has(socket) && !socket.closed) return socket;
    throw transportErrors.make('closed', { reason: 'the socket is closed' });
  }

  async #attempt(
    from: BoundSocket,
    address: SocketAddress,
    expect: NodeId | undefined,
    signal: AbortSignal,
    insists: boolean,
  ): Promise<MemoryConnection> {
    const target = await this.#network.handshake(from, address, signal);
    const peer = target.endpoint.self;
    const key = peerKey(peer);
    if (expect !== undefined && peer.nodeId !== expect) {
      this.#counters.add('wrong-node');
      throw transportErrors.make('wrong-node', { address: address.host });
    }
    if (key === peerKey(this.self)) throw transportErrors.make('refused', { reason: 'this is the node itself' });
    if (this.#peers.pending(key) !== undefined) return this.#opening(key, signal);
    const pending: PendingDial = { direction: 'outbound', incarnation: undefined };
    this.#peers.setPending(key, pending);
    try {
      const hello: Hello = { incarnation: this.incarnation, holds: this.#peers.open(key)?.incarnation, insists };
      const answer = await this.#network.greet(from, target, hello, signal);
      if (typeof answer !== 'string') return answer;
      if (answer === 'over-capacity') throw transportErrors.make('refused', { reason: answer });
    } finally {
      this.#peers.remove(key, pending);
    }
    const open = this.#peers.open(key);
    if (open !== undefined && 'id' in open) return open;
    const patience = linkSignals([signal], { clock: this.clock, deadlineMs: INSIST_AFTER_MS });
    try {
      return await this.#opening(key, patience.signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return await this.#attempt(from, address, expect, signal, true);
    } finally {
      patience.dispose();
    }
  }

  /** The next connection that opens to this device. */
  #opening(key: string, signal: AbortSignal): Promise<MemoryConnection> {
    signal.throwIfAborted();
    const waiters = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiters);
    return new Promise((resolve, reject) => {
      const done = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiting.delete(key);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        done();
        reject(signal.reason);
      };
      const waiter = (connection: MemoryConnection): void => {
        done();
        resolve(connection);
      };
      waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
