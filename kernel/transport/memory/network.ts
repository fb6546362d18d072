import type { Clock, Random } from '../../sdk/clock.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import { socketAddress } from '../address.ts';
import type { Hello } from '../admission.ts';
import { transportErrors } from '../errors.ts';
import type { Endpoint, EndpointOptions, SocketAddress, Transport } from '../transport.ts';
import { MemoryConnection } from './connection.ts';
import { type BoundSocket, type EndpointHost, MemoryEndpoint } from './endpoint.ts';
import { Lane } from './lane.ts';
import { MemorySocket } from './socket.ts';

export interface MemoryNetworkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The counters of the node at this host. */
  counters(host: string): Counters;
}

/** How the way between two hosts behaves, in both directions. */
export interface LinkOptions {
  /** One way. */
  readonly latencyMs: number;
  /** Up to this much more for each message, at random; order is kept. */
  readonly jitterMs: number;
  /** Share of dials that get no answer, 0 to 1. */
  readonly dialFailure: number;
  /** Share of packets lost, 0 to 1. Nothing stays away for good: QUIC sends it again, each time after twice the wait. */
  readonly packetLoss: number;
}

/**
 * Where a packet ends up: the endpoint it reaches, and the source it shows there; undefined when it
 * reaches nobody. A model of NATs takes the place of `MemoryNetwork.route`.
 */
export type Route = (
  from: SocketAddress,
  to: SocketAddress,
) => { readonly to: SocketAddress; readonly seenAs: SocketAddress } | undefined;

const DEFAULT_LINK: LinkOptions = { latencyMs: 0, jitterMs: 0, dialFailure: 0, packetLoss: 0 };
/** RFC 9002 §6.2: the probe timeout is some 1.5 round trips, and at least the timer's granularity. */
const PROBE_MIN_MS = 30;
const PROBES_MAX = 6;
const FIRST_FREE_PORT = 49_152;

/**
 * A network inside one process, on the injected clock: nodes at made-up hosts, links with delay and
 * faults. An idle connection costs no timer and about 1 KB at each end.
 */
export class MemoryNetwork implements EndpointHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  route: Route = (from, to) => ({ to, seenAs: from });

  readonly #deps: MemoryNetworkDeps;
  readonly #sockets = new Map<string, BoundSocket>();
  readonly #links = new Map<string, LinkOptions>();
  #defaultLink = DEFAULT_LINK;
  /** Hosts that cannot hear each other are in different groups; hosts not named are in group 0. */
  #group = new Map<string, number>();
  /** Pairs that cannot hear each other, whatever their groups. */
  readonly #cuts = new Set<string>();
  #nextPort = FIRST_FREE_PORT;
  #nextId = 1;

  constructor(deps: MemoryNetworkDeps) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.random = deps.random;
    this.log = deps.log;
  }

  /** The transport of a machine with this IP address. `EndpointOptions.bind` may name the port. */
  transport(host: string): Transport {
    return {
      open: async (options: EndpointOptions): Promise<Endpoint> => {
        const address = socketAddress(host, options.bind?.port || this.#nextPort++);
        return new MemoryEndpoint(this, address, options, this.#deps.counters(host));
      },
    };
  }

  setDefaultLink(options: Partial<LinkOptions>): void {
    this.#defaultLink = { ...this.#defaultLink, ...options };
  }

  setLink(host: string, other: string, options: Partial<LinkOptions>): void {
    this.#links.set(linkKey(host, other), { ...this.link(host, other), ...options });
  }

  link(host: string, other: string): LinkOptions {
    if (this.#links.size === 0) return this.#defaultLink;
    return this.#links.get(linkKey(host, other)) ?? this.#defaultLink;
  }

  /** Hosts hear only those of their own group. Connections across wait, and end after their idle limit. */
  partition(groups: readonly (readonly string[])[]): void {
    this.#group = new Map(groups.flatMap((hosts, index) => hosts.map((host) => [host, index + 1] as const)));
    this.#endCutWhenIdle();
  }

  /** The two hear each other no more. Their connections wait, and end after their idle limit. */
  cut(host: string, other: string): void {
    this.#cuts.add(linkKey(host, other));
    this.#endCutWhenIdle();
  }

  /** Undoes every `partition` and `cut`. */
  heal(): void {
    this.#group = new Map();
    this.#cuts.clear();
    for (const connection of this.#connections()) connection.resume();
  }

  /** The machine is gone without a word, as if its power failed: the others find out by their idle limit. */
  vanish(host: string): void {
    const gone = [...this.#sockets.values()].filter(({ address }) => address.host === host);
    for (const socket of gone) this.remove(socket);
    for (const endpoint of new Set(gone.map((socket) => socket.endpoint))) {
      for (const connection of [...endpoint.live]) {
        const { far } = connection;
        connection.vanish();
        this.clock.timer(far.endpoint.limits.idleMs, () =>
          far.end({ byPeer: true, code: undefined, reason: 'idle-timeout' }),
        );
      }
    }
  }

  /** Ends the connections between two hosts at once, as a network that resets them would. */
  breakConnections(host: string, other: string): void {
    for (const connection of this.#connections()) {
      if (connection.endpoint.address.host !== host || connection.far.endpoint.address.host !== other) continue;
      connection.end({ byPeer: true, code: undefined, reason: 'transport/lost' });
      connection.far.end({ byPeer: true, code: undefined, reason: 'transport/lost' });
    }
  }

  // What follows is for the endpoints.

  bind(endpoint: MemoryEndpoint, address: SocketAddress): BoundSocket {
    if (this.#sockets.has(keyOf(address)))
      throw transportErrors.make('bind-failed', { address: keyOf(address), reason: 'EADDRINUSE' });
    const socket = new MemorySocket(endpoint, address);
    this.#sockets.set(keyOf(address), socket);
    return socket;
  }

  freePort(): number {
    return this.#nextPort++;
  }

  remove(socket: BoundSocket): void {
    if (this.#isBound(socket)) this.#sockets.delete(keyOf(socket.address));
  }

  carry(from: BoundSocket, to: SocketAddress, datagram: Uint8Array, garbage: (at: MemoryEndpoint) => void): void {
    const way = this.#isBound(from) ? this.route(from.address, to) : undefined;
    const link = this.link(from.address.host, to.host);
    if (way === undefined || (link.packetLoss > 0 && this.random.float() < link.packetLoss)) return;
    this.clock.timer(link.latencyMs + (link.jitterMs > 0 ? this.random.float() * link.jitterMs : 0), () => {
      const target = this.#sockets.get(keyOf(way.to));
      if (target === undefined || this.#apart(from.address.host, target.address.host)) return;
      if (!target.deliver(datagram, way.seenAs)) garbage(target.endpoint);
    });
  }

  async handshake(from: BoundSocket, address: SocketAddress, signal: AbortSignal): Promise<BoundSocket> {
    const way = this.route(from.address, address);
    const link = this.link(from.address.host, address.host);
    const lost = link.dialFailure > 0 && this.random.float() < link.dialFailure;
    await this.clock.sleep(
      link.packetLoss > 0 ? this.#delayMs(link) + this.#delayMs(link) : 2 * link.latencyMs,
      signal,
    );
    const target = way === undefined ? undefined : this.#sockets.get(keyOf(way.to));
    // A machine that vanished reaches nobody, though its program may not know it yet.
    const gone = !this.#isBound(from);
    if (!target?.accepts || gone || lost || this.#apart(from.address.host, target.address.host))
      return this.#silence(signal);
    return target;
  }

  async greet(
    from: BoundSocket,
    target: BoundSocket,
    hello: Hello,
    signal: AbortSignal,
  ): Promise<MemoryConnection | 'reject' | 'over-capacity'> {
    const { latencyMs } = this.link(from.address.host, target.address.host);
    await this.clock.sleep(latencyMs, signal);
    if (!this.#isBound(target)) return this.#silence(signal);
    const seenAs = this.route(from.address, target.address)?.seenAs ?? from.address;
    const verdict = target.endpoint.judge(from.endpoint.self, seenAs, hello);
    if (verdict === 'reject' || verdict === 'over-capacity') {
      await this.clock.sleep(latencyMs, signal);
      return verdict;
    }
    const near = new MemoryConnection(
      this.#nextId++,
      from,
      { id: target.endpoint.self, incarnation: target.endpoint.incarnation, address: target.address },
      'outbound',
      this.#lane(from, target),
    );
    const far = new MemoryConnection(
      this.#nextId++,
      target,
      { id: from.endpoint.self, incarnation: from.endpoint.incarnation, address: seenAs },
      'inbound',
      this.#lane(target, from),
    );
    near.far = far;
    far.far = near;
    return new Promise<MemoryConnection>((resolve, reject) => {
      // The Accept goes first on the lane, so nothing the far end sends can arrive before it.
      far.tell(() => {
        if (signal.aborted) {
          near.close(0, 'done');
          return;
        }
        signal.removeEventListener('abort', onAbort);
        from.endpoint.enter(near);
        resolve(near);
      });
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      target.endpoint.enter(far);
    });
  }

  #lane(from: BoundSocket, to: BoundSocket): Lane {
    const network = this;
    const source = from.address.host;
    const sink = to.address.host;
    return new Lane(this.clock, {
      delayMs: () => network.#delayMs(network.link(source, sink)),
      get cut() {
        return network.#apart(source, sink);
      },
    });
  }

  /** One message, one way. */
  #delayMs({ latencyMs, jitterMs, packetLoss }: LinkOptions): number {
    let delayMs = jitterMs > 0 ? latencyMs + this.random.float() * jitterMs : latencyMs;
    if (packetLoss === 0) return delayMs;
    let waitMs = Math.max(PROBE_MIN_MS, 3 * latencyMs);
    for (let probe = 0; probe < PROBES_MAX && this.random.float() < packetLoss; probe++) {
      delayMs += waitMs;
      waitMs *= 2;
    }
    return delayMs;
  }

  #apart(host: string, other: string): boolean {
    if (this.#cuts.size > 0 && this.#cuts.has(linkKey(host, other))) return true;
    return this.#group.size > 0 && (this.#group.get(host) ?? 0) !== (this.#group.get(other) ?? 0);
  }

  #endCutWhenIdle(): void {
    for (const connection of this.#connections()) {
      if (this.#cut(connection) && connection.direction === 'outbound') this.#endWhenIdle(connection);
    }
  }

  #cut(connection: MemoryConnection): boolean {
    return this.#apart(connection.endpoint.address.host, connection.far.endpoint.address.host);
  }

  #endWhenIdle(connection: MemoryConnection): void {
    this.clock.timer(connection.endpoint.limits.idleMs, () => {
      if (!this.#cut(connection)) return;
      for (const end of [connection, connection.far])
        end.end({ byPeer: true, code: undefined, reason: 'idle-timeout' });
    });
  }

  *#connections(): Iterable<MemoryConnection> {
    const endpoints = new Set([...this.#sockets.values()].map(({ endpoint }) => endpoint));
    for (const endpoint of endpoints) yield* [...endpoint.live];
  }

  #isBound(socket: BoundSocket): boolean {
    return this.#sockets.get(keyOf(socket.address)) === socket;
  }

  #silence(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}

/** An in-memory network for tests and simulation. */
export function memoryNetwork(deps: MemoryNetworkDeps): MemoryNetwork {
  return new MemoryNetwork(deps);
}

function keyOf({ host, port }: SocketAddress): string {
  return `${host}|${port}`;
}

function linkKey(host: string, other: string): string {
  return host < other ? `${host}|${other}` : `${other}|${host}`;
}
