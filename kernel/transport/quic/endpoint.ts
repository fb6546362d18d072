import type { RemoteInfo } from 'node:dgram';
import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection as NativeConnection, Header } from '@matrixai/quic/native/types.js';
import { verifyChain } from '../../identity/certificate.ts';
import type { Clock, Random } from '../../sdk/clock.ts';
import { codeOf, type ItsgoinError } from '../../sdk/errors.ts';
import { type NodeId, peerKey, type PeerId } from '../../sdk/identifiers.ts';
import type { Counters, Log } from '../../sdk/log.ts';
import { CLOSE_CODES, type CloseReason } from '../../sdk/network.ts';
import type { Hello } from '../admission.ts';
import { socketAddress, withoutZone } from '../address.ts';
import { transportErrors } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { PeerTable } from '../peer-table.ts';
import type { CloseInfo, Connection, Endpoint, EndpointOptions, SocketAddress, TransportLimits } from '../transport.ts';
import { CID_BYTES, QuicConfigs } from './config.ts';
import { QuicConnection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { DatagramPath } from './datagram-path.ts';
import { PATH_PROBE, PROBE_HEADER_BYTES } from './datagram-size.ts';
import { Dial, type DialHost } from './dial.ts';
import { Farewells } from './farewells.ts';
import { HandshakeGate } from './handshake-gate.ts';
import { localAddresses } from './local-addresses.ts';
import { Turn } from './turn.ts';
import type { UdpSocket } from './udp-socket.ts';

const READ_BUFFER_BYTES = 256 * 1024;
/** RFC 9000 §14.1: a server ignores Initial packets in smaller datagrams. */
const INITIAL_MIN_BYTES = 1_200;
const FIXED_BIT = 0x40;
const LONG_HEADER = 0x80;

export interface EndpointDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
}

/** Datagrams on the node's port that are not QUIC: STUN and punch probes. */
export type DatagramHandler = (datagram: Uint8Array, from: SocketAddress) => void;

/** The QUIC endpoint: one socket, its connections, and who may have one. */
export class QuicEndpoint implements Endpoint, ConnectionHost, DialHost {
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counts: Counters;
  readonly limits: TransportLimits;
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  /** Takes the datagrams that are not QUIC; by default they are counted and dropped. */
  onRawDatagram: DatagramHandler | undefined;

  readonly #options: EndpointOptions;
  readonly #socket: UdpSocket;
  readonly #configs: QuicConfigs;
  readonly #gate: HandshakeGate;
  readonly #incarnation: string;
  readonly #local: { host: string; port: number };
  readonly #routes = new Map<string, QuicConnection>();
  readonly #live = new Set<QuicConnection>();
  readonly #peers = new PeerTable<QuicConnection>();
  readonly #dials = new Set<Dial>();
  readonly #dialOf = new Map<QuicConnection, Dial>();
  readonly #refusals = new Map<QuicConnection, ItsgoinError>();
  readonly #farewells = new Farewells();
  readonly #turn = new Turn();
  #pendingInbound = 0;
  #closed = false;

  constructor(socket: UdpSocket, options: EndpointOptions, deps: EndpointDeps) {
    this.#socket = socket;
    this.#options = options;
    this.port = socket.port;
    this.clock = deps.clock;
    this.random = deps.random;
    this.log = deps.log;
    this.counts = deps.counters;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#configs = new QuicConfigs(options.credentials, this.limits);
    this.#gate = new HandshakeGate(this.limits, deps.clock, deps.random);
    this.#incarnation = Buffer.from(deps.random.bytes(8)).toString('hex');
    this.#local = { host: '0.0.0.0', port: socket.port };
    socket.onDatagram = (datagram, from) => this.#onDatagram(datagram, from);
  }
  get sendBuffer(): Uint8Array {
    return this.#socket.sendBuffer;
  }

  get dialMs(): number {
    return this.limits.dialMs;
  }

  localAddresses(): readonly SocketAddress[] {
    return localAddresses(this.#options.bind, this.port, this.#socket.family);
  }

  async dial(
    target: { addresses: readonly SocketAddress[]; expect?: NodeId },
    signal?: AbortSignal,
  ): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closed) throw transportErrors.make('closed', { reason: 'shutting-down' });
    if (this.#live.size >= this.limits.maxConnections)
      throw transportErrors.make('too-many-connections', { limit: this.limits.maxConnections });
    const dial = new Dial(this, target.addresses, target.expect, signal);
    return dial.result;
  }

  *connections(): Iterable<Connection> {
    yield* this.#peers.connections();
  }

  counters(): Readonly<Record<string, number>> {
    return this.counts.read();
  }

  /** Sends a datagram that is not QUIC from the node's port. */
  sendRawDatagram(datagram: Uint8Array, to: SocketAddress): void {
    this.#socket.path(to)?.send(datagram, datagram.length);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const dial of [...this.#dials]) dial.fail(transportErrors.make('closed', { reason: 'shutting-down' }));
    for (const connection of [...this.#live]) closeWith(connection, 'shutting-down');
    await this.#socket.close();
  }

  // For the connections.

  scheduleRead(connection: QuicConnection): void {
    this.#turn.read(connection);
  }

  scheduleSend(connection: QuicConnection): void {
    this.#turn.send(connection);
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
      if (lastWords !== undefined) this.#farewells.add(route, lastWords);
    }
    this.#live.delete(connection);
    this.#peers.remove(connection.key, connection);
    if (connection.direction === 'inbound' && connection.openedAtMs === 0) this.#pendingInbound--;
    const dial = this.#dialOf.get(connection);
    const refusal = this.#refusals.get(connection);
    this.#dialOf.delete(connection);
    this.#refusals.delete(connection);
    dial?.ended(connection, info, refusal);
  }

  // For the dials.

  connect(address: SocketAddress, dial: Dial): QuicConnection | undefined {
    const path = this.#socket.path(address);
    if (path === undefined) return undefined;
    const cid = this.random.bytes(CID_BYTES);
    let native: NativeConnection;
    try {
      native = quiche.Connection.connect(
        null,
        cid,
        this.#local,
        { host: withoutZone(address.host), port: address.port },
        this.#configs.of(path.windowUnitBytes),
      );
    } catch (error) {
      this.log.warn('dial-failed', { remote: address.host, reason: (error as Error).message });
      return undefined;
    }
    const connection = this.#track('outbound', native, path, cid);
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
    } else if (this.#peers.pending(connection.key) !== undefined) {
      // Another dial to the same device is ahead; its connection answers both.
      this.#dialOf.delete(connection);
      closeWith(connection, 'done');
    } else {
      this.#peers.setPending(connection.key, connection);
      connection.greet({
        incarnation: this.#incarnation,
        holds: this.#peers.open(connection.key)?.incarnation,
        insists: dial.insists,
      });
    }
  }

  #admit(connection: QuicConnection, hello: Hello): void {
    const { self } = this.#options.credentials;
    const verdict = this.#peers.judge(
      connection.key,
      hello,
      { incarnation: this.#incarnation, deviceId: self.deviceId },
      connection.peer.deviceId,
    );
    if (verdict === 'reject') {
      this.counts.add('duplicate-connection');
      closeWith(connection, 'duplicate-connection');
    } else if (this.#peers.size >= this.limits.maxConnections && this.#peers.open(connection.key) === undefined) {
      this.counts.add('over-capacity');
      closeWith(connection, 'over-capacity');
    } else {
      connection.greet({ incarnation: this.#incarnation, holds: undefined, insists: false });
      this.#enter(connection, hello.incarnation);
    }
  }

  /** The connection is open for both sides. */
  #enter(connection: QuicConnection, incarnation: string): void {
    const previous = this.#peers.enter(connection.key, connection);
    if (connection.direction === 'inbound') this.#pendingInbound--;
    connection.opened(incarnation);
    this.#dialOf.delete(connection);
    this.#options.onConnection(connection);
    for (const dial of [...this.#dials]) dial.opened(connection);
    // The peer no longer has it: it restarted, or lost it. The new one is in place already (MESH-10).
    if (previous !== undefined && previous !== connection) {
      this.counts.add('replaced-connection');
      closeWith(previous, 'duplicate-connection');
    }
  }

  #refuse(connection: QuicConnection, reason: CloseReason, error: ItsgoinError): void {
    this.#refusals.set(connection, error);
    closeWith(connection, reason);
  }

  #track(
    direction: 'inbound' | 'outbound',
    native: NativeConnection,
    path: DatagramPath,
    cid: Uint8Array,
  ): QuicConnection {
    const route = latin1(cid);
    const connection = new QuicConnection(nextId++, direction, native, path, this.#local, route, this);
    this.#routes.set(route, connection);
    this.#live.add(connection);
    return connection;
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    const first = datagram[0] ?? 0;
    if ((first & (LONG_HEADER | FIXED_BIT)) === FIXED_BIT) {
      if (datagram.length > CID_BYTES) this.#route(datagram.toString('latin1', 1, 1 + CID_BYTES), datagram, from);
    } else if ((first & LONG_HEADER) !== 0) {
      const cidBytes = datagram[5] ?? 0;
      if (datagram.length < 7 + cidBytes || cidBytes > quiche.MAX_CONN_ID_LEN) this.counts.add('garbage');
      else this.#route(datagram.toString('latin1', 6, 6 + cidBytes), datagram, from);
    } else if (first === PATH_PROBE && datagram.length >= PROBE_HEADER_BYTES) {
      this.#routes.get(datagram.toString('latin1', 4, 4 + CID_BYTES))?.size.receive(datagram);
    } else if (this.onRawDatagram !== undefined) {
      this.onRawDatagram(datagram, socketAddress(from.address, from.port));
    } else {
      this.counts.add('garbage');
    }
  }

  #route(route: string, datagram: Buffer, from: RemoteInfo): void {
    const connection = this.#routes.get(route);
    if (connection !== undefined) {
      const known = connection.path.matches(from.address, from.port);
      connection.receive(datagram, known ? undefined : socketAddress(from.address, from.port));
      return;
    }
    const farewell = this.#farewells.answer(route);
    if (farewell !== undefined) this.#socket.send(farewell, farewell.length, from.address, from.port);
    else if (((datagram[0] ?? 0) & LONG_HEADER) !== 0 && datagram.length >= INITIAL_MIN_BYTES && !this.#closed)
      this.#onInitial(route, datagram, from);
    else this.counts.add('unknown-connection');
  }

  /** Somebody may want a connection. Nothing is kept for them before the gate agrees. */
  #onInitial(route: string, datagram: Buffer, from: RemoteInfo): void {
    let header: Header;
    try {
      header = quiche.Header.fromSlice(datagram, CID_BYTES);
    } catch {
      this.counts.add('garbage');
      return;
    }
    const source = socketAddress(from.address, from.port);
    const path = this.#socket.path(source);
    if (path === undefined) return;
    const buffer = this.sendBuffer;
    if (!quiche.versionIsSupported(header.version)) {
      this.counts.add('version-negotiation');
      path.send(buffer, quiche.negotiateVersion(header.scid, header.dcid, buffer));
      return;
    }
    if (header.ty !== INITIAL) {
      this.counts.add('unknown-connection');
      return;
    }
    const original = header.token === undefined ? undefined : this.#gate.checkToken(header.token, source, header.dcid);
    const verdict = this.#gate.judge(source, this.#pendingInbound, original !== undefined);
    if (verdict === 'retry') {
      this.counts.add('retry-sent');
      const retryCid = this.random.bytes(CID_BYTES);
      const token = this.#gate.mintToken(source, header.dcid, retryCid);
      path.send(buffer, quiche.retry(header.scid, header.dcid, retryCid, token, header.version, buffer));
    } else if (verdict !== 'accept') {
      this.counts.add(`handshake-${verdict}`);
    } else {
      this.#accept(route, original, header, datagram, path);
    }
  }

  #accept(route: string, original: Uint8Array | undefined, header: Header, datagram: Buffer, path: DatagramPath): void {
    // After a Retry the client already uses the id we chose there, and its first one is in the token.
    const cid = original === undefined ? this.random.bytes(CID_BYTES) : header.dcid;
    const remote = { host: withoutZone(path.remote.host), port: path.remote.port };
    let native: NativeConnection;
    try {
      native = quiche.Connection.accept(
        cid,
        original ?? null,
        this.#local,
        remote,
        this.#configs.of(path.windowUnitBytes),
      );
    } catch (error) {
      this.log.warn('accept-failed', { reason: (error as Error).message });
      return;
    }
    const connection = this.#track('inbound', native, path, cid);
    this.#pendingInbound++;
    if (original === undefined) {
      // Until the client has heard from us it addresses us by the id it made up.
      connection.routes.push(route);
      this.#routes.set(route, connection);
    }
    connection.receive(datagram, undefined);
  }
}

/** Connection ids are never reused in this process (MESH-10). */
let nextId = 1;

/** quiche's `Type.Initial`; its enum object is created by the native module. */
const INITIAL = 0;

function closeWith(connection: QuicConnection, reason: CloseReason): void {
  connection.close(CLOSE_CODES[reason], reason);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
