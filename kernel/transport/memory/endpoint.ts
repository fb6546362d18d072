import { linkSignals } from '../../clock/index.ts';
import type { Clock } from '../../sdk/clock.ts';
import { codeOf } from '../../sdk/errors.ts';
import { type NodeId, peerKey, type PeerId } from '../../sdk/identifiers.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import { CLOSE_CODES } from '../../sdk/network.ts';
import type { Hello, Verdict } from '../admission.ts';
import { transportErrors } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { PeerTable } from '../peer-table.ts';
import type { Connection, Endpoint, EndpointOptions, SocketAddress, TransportLimits } from '../transport.ts';
import type { MemoryConnection } from './connection.ts';
import type { MemoryNetwork } from './network.ts';

/** How long the connection we were rejected in favour of may take to show up before we insist. */
const INSIST_AFTER_MS = 2_000;

/** Our own dial between the handshake and its Accept. */
interface PendingDial {
  readonly direction: 'outbound';
  readonly incarnation: undefined;
}

/** A node of the in-memory network. */
export class MemoryEndpoint implements Endpoint {
  readonly port: number;
  readonly address: SocketAddress;
  readonly self: PeerId;
  readonly limits: TransportLimits;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly log: Log;

  readonly #network: MemoryNetwork;
  readonly #options: EndpointOptions;
  readonly #counters: Counters;
  readonly #peers = new PeerTable<MemoryConnection | PendingDial>();
  readonly #live = new Set<MemoryConnection>();
  readonly #waiting = new Map<string, Set<(connection: MemoryConnection) => void>>();
  readonly #closing = new AbortController();

  constructor(network: MemoryNetwork, address: SocketAddress, options: EndpointOptions, counters: Counters) {
    this.#network = network;
    this.#options = options;
    this.#counters = counters;
    this.clock = network.clock;
    this.log = network.log;
    this.address = address;
    this.port = address.port;
    this.self = options.credentials.self;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.incarnation = Buffer.from(network.random.bytes(8)).toString('hex');
  }

  localAddresses(): readonly SocketAddress[] {
    return [this.address];
  }

  async dial(
    target: { addresses: readonly SocketAddress[]; expect?: NodeId },
    signal?: AbortSignal,
  ): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw transportErrors.make('closed', { reason: 'shutting-down' });
    if (this.#live.size >= this.limits.maxConnections)
      throw transportErrors.make('too-many-connections', { limit: this.limits.maxConnections });
    const { dialMs } = this.limits;
    const linked = linkSignals([signal, this.#closing.signal], { clock: this.clock, deadlineMs: dialMs });
    let failure: unknown = transportErrors.make('unreachable');
    try {
      for (const address of target.addresses) {
        try {
          return await this.#attempt(address, target.expect, linked.signal, false);
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
    this.#network.remove(this);
  }

  // What follows is for the network and the connections.

  get live(): Iterable<MemoryConnection> {
    return this.#live;
  }

  rttMs(host: string): number {
    return 2 * this.#network.link(this.address.host, host).latencyMs;
  }

  ended(connection: MemoryConnection): void {
    this.#live.delete(connection);
    this.#peers.remove(peerKey(connection.peer), connection);
  }

  /** A Hello from `dialler` has arrived. */
  judge(dialler: PeerId, hello: Hello): Verdict | 'over-capacity' {
    const key = peerKey(dialler);
    const verdict = this.#peers.judge(
      key,
      hello,
      { incarnation: this.incarnation, deviceId: this.self.deviceId },
      dialler.deviceId,
    );
    if (verdict === 'reject') this.#counters.add('duplicate-connection');
    if (verdict === 'reject' || this.#peers.size < this.limits.maxConnections || this.#peers.open(key) !== undefined)
      return verdict;
    this.#counters.add('over-capacity');
    return 'over-capacity';
  }

  enter(connection: MemoryConnection): void {
    const key = peerKey(connection.peer);
    const previous = this.#peers.enter(key, connection);
    connection.openedAtMs = this.clock.now();
    this.#live.add(connection);
    this.#options.onConnection(connection);
    for (const waiter of [...(this.#waiting.get(key) ?? [])]) waiter(connection);
    if (previous !== undefined && 'id' in previous) {
      this.#counters.add('replaced-connection');
      previous.close(CLOSE_CODES['duplicate-connection'], 'duplicate-connection');
    }
  }

  async #attempt(
    address: SocketAddress,
    expect: NodeId | undefined,
    signal: AbortSignal,
    insists: boolean,
  ): Promise<MemoryConnection> {
    const target = await this.#network.handshake(this, address, signal);
    const peer = target.self;
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
      const answer = await this.#network.greet(this, target, hello, signal);
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
      return await this.#attempt(address, expect, signal, true);
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
