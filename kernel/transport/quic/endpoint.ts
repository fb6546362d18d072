import type { RemoteInfo } from 'node:dgram';
import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import { verifyChain } from '../../identity/certificate.ts';
import type { Clock, Random } from '../../sdk/clock.ts';
import { codeOf, type ItsgoinError } from '../../sdk/errors.ts';
import { peerKey, type PeerId } from '../../sdk/identifiers.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import { CLOSE_CODES, type CloseReason } from '../../sdk/network.ts';
import type { Hello } from '../admission.ts';
import { socketAddress, withoutZone } from '../address.ts';
import { kindOf } from '../demultiplex.ts';
import { transportErrors } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { ConnectionShares } from '../connection-shares.ts';
import { PeerTable } from '../peer-table.ts';
import type {
  CloseInfo,
  Connection,
  Endpoint,
  EndpointOptions,
  EndpointSocket,
  EndpointTarget,
  SocketAddress,
  TransportLimits,
} from '../transport.ts';
import { CID_BYTES, QuicConfigs } from './config.ts';
import { QuicConnection } from './connection.ts';
import type { ConnectionDelegate } from './connection-delegate.ts';
import type { DatagramPath } from './datagram-path.ts';
import { PROBE_HEADER_BYTES } from './path-mtu-discovery.ts';
import { Dial, type DialDelegate } from './dial.ts';
import { ClosingConnections } from './closing-connections.ts';
import { HandshakeLimiter } from './handshake-limiter.ts';
import { InitialPackets } from './initial-packets.ts';
import type { QuicSocket, QuicSocketDelegate } from './quic-socket.ts';
import { SocketSet } from './socket-set.ts';
import { DeferredFlush } from './deferred-flush.ts';
import { SendBuffer, UdpSocket } from './udp-socket.ts';

const READ_BUFFER_BYTES = 256 * 1024;
export interface EndpointDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
}

/** The QUIC endpoint: its sockets, its connections, and who may have one. */
export class QuicEndpoint implements Endpoint, ConnectionDelegate<QuicConnection>, DialDelegate, QuicSocketDelegate {
  readonly port: number;
  readonly socket: EndpointSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counts: Counters;
  readonly limits: TransportLimits;
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

  readonly #options: EndpointOptions;
  readonly #sockets: SocketSet;
  readonly #configs: QuicConfigs;
  readonly #initials: InitialPackets;
  readonly #incarnation: string;
  readonly #routes = new Map<string, QuicConnection>();
  /** Each with the socket it lives on. */
  readonly #live = new Map<QuicConnection, QuicSocket>();
  readonly #peers = new PeerTable<QuicConnection>();
  readonly #dials = new Set<Dial>();
  readonly #dialOf = new Map<QuicConnection, Dial>();
  readonly #refusals = new Map<QuicConnection, ItsgoinError>();
  readonly #closing = new ClosingConnections();
  readonly #flush = new DeferredFlush();
  readonly #shares: ConnectionShares<QuicConnection>;
  #closed = false;

  static async open(options: EndpointOptions, deps: EndpointDeps): Promise<QuicEndpoint> {
    const buffer = new SendBuffer();
    return new QuicEndpoint(await UdpSocket.open(options.bind, buffer), buffer, options, deps);
  }

  private constructor(udp: UdpSocket, buffer: SendBuffer, options: EndpointOptions, deps: EndpointDeps) {
    this.#options = options;
    this.port = udp.port;
    this.clock = deps.clock;
    this.random = deps.random;
    this.log = deps.log;
    this.counts = deps.counters;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#shares = new ConnectionShares(this.limits, options);
    this.#configs = new QuicConfigs(options.credentials, this.limits);
    const limiter = new HandshakeLimiter(this.limits, deps.clock, deps.random);
    this.#initials = new InitialPackets({ limiter, random: deps.random, counts: deps.counters, sendBuffer: buffer });
    this.#incarnation = Buffer.from(deps.random.bytes(8)).toString('hex');
    this.#sockets = new SocketSet(udp, buffer, options.bind, this);
    this.socket = this.#sockets.main;
  }

  get sendBuffer(): Uint8Array {
    return this.#sockets.buffer.bytes;
  }

  localAddresses(): readonly SocketAddress[] {
    return this.socket.localAddresses();
  }

  async openSocket(options: { readonly host?: string } = {}): Promise<EndpointSocket> {
    if (this.#closed) throw transportErrors.make('closed', { reason: 'shutting-down' });
    return this.#sockets.open(options.host);
  }

  async dial(target: EndpointTarget, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closed) throw transportErrors.make('closed', { reason: 'shutting-down' });
    const from = this.#sockets.own(target.from);
    if (this.#live.size - this.#shares.pending >= this.limits.maxConnections)
      throw transportErrors.make('too-many-connections', { limit: this.limits.maxConnections });
    const dial = new Dial(this, target.addresses, target.expect, signal, from);
    return dial.result;
  }

  *connections(): Iterable<Connection> {
    for (const connection of this.#live.keys()) if (connection.isOpen) yield connection;
  }

  counters(): Readonly<Record<string, number>> {
    return this.counts.read();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const dial of [...this.#dials]) dial.fail(transportErrors.make('closed', { reason: 'shutting-down' }));
    for (const connection of [...this.#live.keys()]) closeWith(connection, 'shutting-down');
    await this.#sockets.close();
  }

  // For the sockets.

  onQuic(
    socket: QuicSocket,
    kind: 'short-header' | 'long-header' | 'path-probe',
    datagram: Buffer,
    from: RemoteInfo,
  ): void {
    if (kind === 'short-header') {
      if (datagram.length > CID_BYTES)
        this.#route(datagram.toString('latin1', 1, 1 + CID_BYTES), socket, datagram, from);
    } else if (kind === 'path-probe') {
      const probed = this.#routes.get(datagram.toString('latin1', 4, 4 + CID_BYTES));
      if (datagram.length >= PROBE_HEADER_BYTES && probed !== undefined && this.#live.get(probed) === socket)
        probed.size.receive(datagram);
    } else {
      const cidBytes = datagram[5] ?? 0;
      if (datagram.length < 7 + cidBytes || cidBytes > quiche.MAX_CONN_ID_LEN) this.counts.add('garbage');
      else this.#route(datagram.toString('latin1', 6, 6 + cidBytes), socket, datagram, from);
    }
  }

  onGarbage(): void {
    this.counts.add('garbage');
  }

  // For the connections.

  scheduleRead(connection: QuicConnection): void {
    this.#flush.read(connection);
  }

  scheduleSend(connection: QuicConnection): void {
    this.#flush.send(connection);
  }

  established(connection: QuicConnection, chain: readonly Uint8Array[]): void {
    let peer: PeerId;
    try {
      peer = verifyChain(chain, this.clock.now());
    } catch (error) {
      this.counts.add('bad-certificate');
      this.log.info('certificate-refused', { remote: connection.remote.host, code: codeOf(error) });
      this.#refuse(
        connection,
        'bad-certificate',
        transportErrors.make('bad-certificate', { reason: (error as Error).message }, error),
      );
      return;
    }
    connection.verified(peer);
    if (connection.direction === 'outbound') this.#found(connection, peer);
  }

  greeted(connection: QuicConnection, hello: Hello): void {
    if (connection.direction === 'outbound') this.#enter(connection, hello.incarnation);
    else this.#admit(connection, hello);
  }

  ended(connection: QuicConnection, info: CloseInfo, lastWords: Uint8Array | undefined): void {
    for (const route of connection.routes) {
      if (this.#routes.get(route) === connection) this.#routes.delete(route);
      if (lastWords !== undefined) this.#closing.add(route, lastWords);
    }
    this.#live.get(connection)?.leave();
    this.#live.delete(connection);
    this.#peers.remove(connection.key, connection);
    this.#shares.ended(connection);
    const dial = this.#dialOf.get(connection);
    const refusal = this.#refusals.get(connection);
    this.#dialOf.delete(connection);
    this.#refusals.delete(connection);
    dial?.ended(connection, info, refusal);
  }

  // For the dials.

  connect(address: SocketAddress, dial: Dial): QuicConnection | undefined {
    const path = dial.from.udp.path(address);
    if (path === undefined || dial.from.closed) return undefined;
    const cid = this.random.bytes(CID_BYTES);
    let native: NativeConnection;
    try {
      native = quiche.Connection.connect(
        null,
        cid,
        dial.from.local,
        { host: withoutZone(address.host), port: address.port },
        this.#configs.of(path),
      );
    } catch (error) {
      this.log.warn('dial-failed', { remote: address.host, reason: (error as Error).message });
      return undefined;
    }
    const connection = this.#track('outbound', native, path, cid, dial.from);
    this.#dials.add(dial);
    this.#dialOf.set(connection, dial);
    connection.touch();
    return connection;
  }

  openTo(key: string): QuicConnection | undefined {
    return this.#peers.open(key);
  }

  finished(dial: Dial): void {
    this.#dials.delete(dial);
  }

  /** Our dial reached somebody: is it who we wanted, and is it somebody new? */
  #found(connection: QuicConnection, peer: PeerId): void {
    const dial = this.#dialOf.get(connection);
    const { self } = this.#options.credentials;
    if (dial?.expect !== undefined && peer.nodeId !== dial.expect) {
      this.counts.add('wrong-node');
      this.#refuse(connection, 'wrong-node', transportErrors.make('wrong-node', { address: connection.remote.host }));
    } else if (peerKey(peer) === peerKey(self)) {
      this.#refuse(connection, 'done', transportErrors.make('refused', { reason: 'this is the node itself' }));
    } else if (dial === undefined || !dial.verified(connection)) {
      closeWith(connection, 'done');
    } else {
      this.#greet(connection, dial);
    }
  }

  #greet(connection: QuicConnection, dial: Dial): void {
    const ahead = this.#peers.pending(connection.key);
    if (ahead !== undefined) {
      // Another dial to the same device is ahead; its connection answers both.
      this.#dialOf.delete(connection);
      closeWith(connection, 'done');
      if (ahead.isOpen) dial.opened(ahead);
      return;
    }
    const { insists } = dial;
    const holds = this.#peers.open(connection.key)?.incarnation;
    this.#peers.setPending(connection.key, connection);
    connection.greet({ incarnation: this.#incarnation, holds, insists });
    // The Accept is waited for only where it may well not come: what is sent now goes out with the Hello.
    if (holds === undefined && !insists && !this.#crossed(connection)) this.#open(connection);
  }

  /** Whether somebody at the same address dials us: if it is the same peer, its answer says whose dial stays. */
  #crossed({ remote }: QuicConnection): boolean {
    if (this.#shares.pending === 0) return false;
    for (const { direction, isOpen, remote: other } of this.#live.keys())
      if (direction === 'inbound' && !isOpen && other.host === remote.host && other.port === remote.port) return true;
    return false;
  }

  #admit(connection: QuicConnection, hello: Hello): void {
    const self = { incarnation: this.#incarnation, deviceId: this.#options.credentials.self.deviceId };
    const verdict = this.#peers.judge(connection.key, hello, self, connection.peer.deviceId);
    const isNew = this.#peers.open(connection.key) === undefined;
    const hasRoom = !isNew || this.#shares.hasRoom(connection.peer.nodeId, connection.remote, this.#peers.size);
    if (verdict === 'reject' || !hasRoom) {
      const reason = verdict === 'reject' ? 'duplicate-connection' : 'over-capacity';
      this.counts.add(reason);
      connection.refuse(reason);
    } else {
      connection.greet({ incarnation: this.#incarnation, holds: undefined, insists: false });
      this.#enter(connection, hello.incarnation);
    }
  }

  /** Streams run on it from now on. */
  #open(connection: QuicConnection): void {
    connection.opened();
    this.#dialOf.delete(connection);
    this.#options.onConnection(connection);
    for (const dial of [...this.#dials]) dial.opened(connection);
  }

  /** Both sides have taken the connection. */
  #enter(connection: QuicConnection, incarnation: string): void {
    const previous = this.#peers.enter(connection.key, connection);
    if (connection.direction === 'inbound') this.#shares.enter(connection, connection.peer.nodeId, connection.remote);
    connection.accepted(incarnation);
    if (!connection.isOpen) this.#open(connection);
    // The peer no longer has it: it restarted, or lost it. The new one is in place already (MESH-10).
    if (previous !== undefined && previous !== connection) {
      this.counts.add('replaced-connection');
      closeWith(previous, 'duplicate-connection');
    }
  }

  #refuse(connection: QuicConnection, reason: CloseReason, error: ItsgoinError): void {
    this.#refusals.set(connection, error);
    connection.refuse(reason);
  }

  #track(
    direction: 'inbound' | 'outbound',
    native: NativeConnection,
    path: DatagramPath,
    cid: Uint8Array,
    socket: QuicSocket,
  ): QuicConnection {
    const route = Buffer.from(cid).toString('latin1');
    const connection = new QuicConnection(nextId++, direction, native, path, socket.local, route, this);
    this.#routes.set(route, connection);
    this.#live.set(connection, socket);
    socket.enter();
    return connection;
  }

  #route(route: string, socket: QuicSocket, datagram: Buffer, from: RemoteInfo): void {
    const connection = this.#routes.get(route);
    if (connection !== undefined) {
      if (this.#live.get(connection) !== socket) {
        // A path is a socket of ours and a remote, and nobody has proved this one.
        this.counts.add('wrong-socket');
        return;
      }
      const known = connection.path.matches(from.address, from.port);
      connection.receive(datagram, known ? undefined : socketAddress(from.address, from.port));
      return;
    }
    const lastWords = this.#closing.answer(route, datagram.length);
    if (lastWords !== undefined) socket.udp.send(lastWords, lastWords.length, from.address, from.port);
    else if (kindOf(datagram) === 'long-header' && socket.accepts && !this.#closed)
      this.#onInitial(route, socket, datagram, socketAddress(from.address, from.port));
    else this.counts.add('unknown-connection');
  }

  #onInitial(route: string, socket: QuicSocket, datagram: Buffer, source: SocketAddress): void {
    const path = socket.udp.path(source);
    const accepted = path && this.#initials.judge(datagram, path, this.#shares);
    if (path === undefined || accepted === undefined) return;
    let native: NativeConnection;
    try {
      native = quiche.Connection.accept(
        accepted.cid,
        accepted.original ?? null,
        socket.local,
        { host: withoutZone(source.host), port: source.port },
        this.#configs.of(path),
      );
    } catch (error) {
      this.log.warn('accept-failed', { reason: (error as Error).message });
      return;
    }
    const connection = this.#track('inbound', native, path, accepted.cid, socket);
    this.#shares.begin(connection, source);
    if (accepted.original === undefined) {
      // Until the client has heard from us it addresses us by the id it made up.
      connection.routes.push(route);
      this.#routes.set(route, connection);
    } else connection.amplification.prove();
    connection.receive(datagram, undefined);
  }
}

/** Connection ids are never reused in this process (MESH-10). */
let nextId = 1;

function closeWith(connection: QuicConnection, reason: CloseReason): void {
  connection.close(CLOSE_CODES[reason], reason);
}
