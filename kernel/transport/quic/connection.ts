import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import type { TimerHandle } from '../../sdk/clock.ts';
import { peerKey, type PeerId } from '../../sdk/identifiers.ts';
import { CLOSE_CODES, type CloseReason } from '../../sdk/network.ts';
import type { Hello } from '../admission.ts';
import { transportErrors } from '../errors.ts';
import type {
  CloseInfo,
  ConnectionStats,
  IncomingStream,
  SocketAddress,
  StreamAbort,
  TransportStream,
} from '../transport.ts';
import { AckDelay } from './ack-delay.ts';
import { AmplificationLimit } from './amplification-limit.ts';
import type { ConnectionDelegate } from './connection-delegate.ts';
import { CLIENT_CONTROL_STREAM, CONTROL_BYTES, decodeHello, encodeHello, SERVER_CONTROL_STREAM } from './control.ts';
import type { DatagramPath } from './datagram-path.ts';
import { PathMtuDiscovery, type PathProbeDelegate } from './path-mtu-discovery.ts';
import { collected, endOf, REFUSED } from './native-state.ts';
import { QuicStream, type StreamDelegate } from './stream.ts';
import { StreamOpens } from './stream-opens.ts';
import { Traffic } from './traffic.ts';
import { socketAddress, withoutZone } from '../address.ts';

interface RecvInfo {
  from: { host: string; port: number };
  to: { host: string; port: number };
}

const ignore = (): void => {};
/** Datagrams of one connection in one turn, so that a fast path does not starve the others. */
const BURST_MAX = 256;

/** Up to this many open streams each is asked whether it is readable. */
const ASK_EACH_MAX = 32;

/**
 * One QUIC connection: quiche's state machine, its streams, its path and its one timer.
 *
 * Over 400 lines because every call into quiche may end the connection or change what the next call
 * must do; reading, sending and the timer are kept where that can be seen at a glance.
 */
export class QuicConnection implements StreamDelegate, PathProbeDelegate {
  readonly id: number;
  readonly direction: 'inbound' | 'outbound';
  openedAtMs = 0;
  closed: CloseInfo | undefined;
  onStream: (stream: TransportStream & IncomingStream) => void = ignore;
  onClose: (info: CloseInfo) => void = ignore;

  /** Dropped as soon as the connection ends: quiche's memory is freed only with this object. */
  native: NativeConnection | undefined;
  path: DatagramPath;
  /** Our own connection id as the endpoint's routing key. */
  readonly routes: string[];
  /** The peer process at the other end; known from its Hello or Accept. */
  incarnation: string | undefined;
  readonly batched: QuicStream[] = [];
  /** Streams with queued bytes, and uni-streams of ours that the peer may stop while nothing is queued. */
  readonly blocked = new Set<QuicStream>();
  readonly stoppable = new Set<QuicStream>();
  readonly size: PathMtuDiscovery;
  readonly amplification: AmplificationLimit;

  readonly #delegate: ConnectionDelegate<QuicConnection>;
  readonly #streams = new Map<number, QuicStream>();
  readonly #opens: StreamOpens;
  /** The lowest ids the peer has not used. Its first uni-stream is the control stream. */
  readonly #nextOfPeer: { bi: number; uni: number };
  /** Bi-streams the peer has reset; see `wasReset`. */
  readonly #reset = new Set<number>();
  readonly #control: Buffer[] = [];
  #peer: PeerId | undefined;
  #recvInfo: RecvInfo;
  #phase: 'handshake' | 'verified' | 'open' = 'handshake';
  #readScheduled = false;
  #sendScheduled = false;
  #received = false;
  /** There is something to send beside acknowledgements. */
  #touched = false;
  /** A stream that was paused is to be read on. */
  #resumed = false;
  readonly #acks = new AckDelay();
  #lastReceivedAt: number;
  #lastPingAt = 0;
  #lostCredits = 0;
  #timer: TimerHandle | undefined;
  #timerDueAt = Number.POSITIVE_INFINITY;
  #handshakeTimer: TimerHandle | undefined;
  readonly #traffic = new Traffic();

  constructor(
    id: number,
    direction: 'inbound' | 'outbound',
    native: NativeConnection,
    path: DatagramPath,
    local: { host: string; port: number },
    route: string,
    host: ConnectionDelegate<QuicConnection>,
  ) {
    this.id = id;
    this.direction = direction;
    this.native = native;
    this.path = path;
    this.routes = [route];
    this.#delegate = host;
    this.#opens = new StreamOpens(direction, (id) => {
      const stream = new QuicStream(this, id, true);
      this.#streams.set(id, stream);
      return stream;
    });
    const peerBit = direction === 'outbound' ? 1 : 0;
    this.#nextOfPeer = { bi: peerBit, uni: 6 + peerBit };
    this.#recvInfo = { from: { host: withoutZone(path.remote.host), port: path.remote.port }, to: local };
    this.#lastReceivedAt = host.clock.monotonic();
    this.amplification = new AmplificationLimit(direction === 'outbound');
    this.size = new PathMtuDiscovery(this, path.maxDatagramBytes, host);
    this.#handshakeTimer = host.clock.timer(host.limits.dialMs, () =>
      this.end({ byPeer: false, code: undefined, reason: 'transport/dial-timeout' }),
    );
  }

  get peer(): PeerId {
    if (this.#peer === undefined) throw transportErrors.make('closed', { reason: 'not authenticated' });
    return this.#peer;
  }

  get key(): string {
    return this.#peer === undefined ? '' : peerKey(this.#peer);
  }

  get remote(): SocketAddress {
    return this.path.remote;
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.closed === undefined;
  }

  openBi(signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    return this.#openStream('bi', signal);
  }

  openUni(signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    return this.#openStream('uni', signal);
  }

  close(code: number, reason: string): void {
    this.#close(code, reason, reason);
  }

  /** Closes it before any stream of the peer was read, and says so. */
  refuse(reason: CloseReason): void {
    this.#close(CLOSE_CODES[reason], reason, REFUSED);
  }

  stats(): ConnectionStats {
    const { bytesIn, bytesOut, rttMs } = this.#traffic;
    return { bytesIn, bytesOut, rttMs, datagramBytes: this.size.bytes };
  }

  // What follows is for the endpoint and the streams.

  receive(datagram: Uint8Array, from: SocketAddress | undefined): void {
    const native = this.native;
    if (native === undefined) return;
    const info =
      from === undefined
        ? this.#recvInfo
        : { from: { host: withoutZone(from.host), port: from.port }, to: this.#recvInfo.to };
    try {
      native.recv(datagram, info);
    } catch (error) {
      // quiche has closed the connection and the next send tells the peer.
      this.touch();
      this.#delegate.counts.add('bad-packet');
      this.#delegate.log.debug('bad-packet', { connection: this.id, reason: (error as Error).message });
    }
    this.#received = true;
    this.#traffic.bytesIn += datagram.length;
    if (from === undefined) this.amplification.received(datagram.length);
    this.#scheduleRead();
    if (from !== undefined || this.#phase !== 'open' || !this.#acks.isBulk(datagram.length)) this.touch();
    else if (this.#acks.received(datagram.length, this.#delegate.clock.monotonic())) this.#transmit(native);
    else this.#scheduleSend();
  }

  /** There is something to send, or may be. */
  touch(): void {
    this.#touched = true;
    this.#scheduleSend();
  }

  /** A paused stream goes on. */
  touchRead(): void {
    this.#resumed = true;
    this.#scheduleRead();
    this.touch();
  }

  /** Reads what came; the layers above run inside this. */
  read(): void {
    this.#readScheduled = false;
    const native = this.native;
    if (native === undefined) return;
    if (this.#received) {
      this.#received = false;
      this.#lastReceivedAt = this.#delegate.clock.monotonic();
    }
    if (this.#phase === 'handshake') {
      if (native.isEstablished()) {
        this.#phase = 'verified';
        this.amplification.prove();
        this.#delegate.established(this, native.peerCertChain() ?? []);
      }
      if (this.native === undefined) return;
    }
    if (this.#phase !== 'handshake') {
      this.#readStreams(native);
      if (this.native === undefined) return;
      // What was read of a stream that was paused makes room for the peer, who may wait for nothing but to hear of it.
      if (this.#resumed) this.touch();
      this.#resumed = false;
      for (const stream of this.blocked) if (stream.pump(native)) this.blocked.delete(stream);
      this.#opens.serve(native);
    }
    if (this.native !== undefined && native.isDraining()) this.#endedByPeer(native);
  }

  /** Sends what there is and arms the timer. */
  send(): void {
    // Ahead of the next line, so that it does not ask for another turn.
    this.#writeBatches();
    this.#sendScheduled = false;
    const native = this.native;
    if (native === undefined) return;
    if (!this.#touched && this.blocked.size === 0 && this.#acks.mayWait(this.#delegate.clock.monotonic())) {
      this.#timeAt(this.#acks.dueAt);
      return;
    }
    this.#touched = false;
    this.#transmit(native);
    if (native.isClosed() || native.isDraining()) this.#endedByPeer(native);
    else this.#armTimer(native);
    if (this.#phase === 'open') this.#traffic.sample(native, this.#lastReceivedAt);
  }

  /** The certificates are good: our Hello goes out when we dialled. */
  verified(peer: PeerId): void {
    this.#peer = peer;
  }

  /** Sends Hello (dialler) or Accept (listener) on the control stream. */
  greet(hello: Hello): void {
    this.native?.streamSend(
      this.direction === 'outbound' ? CLIENT_CONTROL_STREAM : SERVER_CONTROL_STREAM,
      encodeHello(hello),
      true,
    );
    this.touch();
  }

  /** The peer has taken the connection, or we have. */
  accepted(incarnation: string): void {
    this.#handshakeTimer?.cancel();
    this.#handshakeTimer = undefined;
    this.incarnation = incarnation;
  }

  /** From here on streams run in both directions. */
  opened(): void {
    this.openedAtMs = this.#delegate.clock.now();
    this.#phase = 'open';
    this.size.opened();
    // Streams may have come ahead of the Accept.
    this.touchRead();
  }

  deliver(stream: QuicStream, chunk: Uint8Array, fin: boolean): void {
    this.#acks.read(chunk.length);
    try {
      stream.onData(chunk, fin);
    } catch (error) {
      this.#delegate.log.error('stream-handler-threw', { connection: this.id, reason: String(error) });
      stream.abort(CLOSE_CODES.done);
    }
  }

  reportAbort(stream: QuicStream, reason: StreamAbort): void {
    try {
      stream.onAbort(reason);
    } catch (error) {
      this.#delegate.log.error('stream-handler-threw', { connection: this.id, reason: String(error) });
    }
  }

  /** A stream of ours is written to for the first time. */
  becameKnown(stream: QuicStream): void {
    this.#opens.becameKnown(stream);
  }

  /**
   * quiche gives a reset stream's credit back only when it is read once more after our own half is
   * complete, which may take until the peer has acknowledged it.
   */
  wasReset(id: number): void {
    this.#reset.add(id);
  }

  sendNow(): void {
    if (this.native !== undefined) this.#transmit(this.native);
  }

  release(stream: QuicStream): void {
    this.#streams.delete(stream.id);
    this.blocked.delete(stream);
    if (this.stoppable.size > 0) this.stoppable.delete(stream);
  }

  /** The peer broke the rules in a way that costs us: it goes. */
  misbehaved(reason: string): void {
    this.#delegate.log.warn('peer-misbehaved', { connection: this.id, reason });
    this.close(CLOSE_CODES.misbehaviour, 'misbehaviour');
  }

  lostStreamCredit(): void {
    this.#delegate.counts.add('stream-credit-lost');
    if (++this.#lostCredits > this.#delegate.limits.maxStreamsPerConnection / 2)
      this.misbehaved('its uni-streams had to be stopped too often');
  }

  end(info: CloseInfo, lastWords?: Uint8Array): void {
    if (this.closed !== undefined || this.native === undefined) return;
    this.closed = info;
    this.native = undefined;
    this.#timer?.cancel();
    this.#handshakeTimer?.cancel();
    this.size.stop();
    this.batched.length = 0;
    this.blocked.clear();
    this.stoppable.clear();
    const reason = transportErrors.make('closed', { reason: info.reason });
    this.#opens.rejectAll(reason);
    for (const stream of [...this.#streams.values()]) stream.connectionEnded();
    this.#streams.clear();
    this.#delegate.ended(this, info, lastWords);
    try {
      this.onClose(info);
    } catch (error) {
      this.#delegate.log.error('close-handler-threw', { connection: this.id, reason: String(error) });
    }
  }

  #writeBatches(): void {
    // Writing may end a stream, and who hears of it may append to another.
    for (let stream = this.batched.pop(); stream !== undefined; stream = this.batched.pop()) stream.writeBatch();
  }

  #close(code: number, reason: string, words: string): void {
    const native = this.native;
    if (native === undefined) return;
    // What was written before goes out first.
    this.#writeBatches();
    this.#transmit(native);
    native.close(true, code, Buffer.from(words));
    const lastWords = this.#transmit(native);
    this.end({ byPeer: false, code, reason }, lastWords === undefined ? undefined : Uint8Array.from(lastWords));
  }

  #scheduleSend(): void {
    if (this.#sendScheduled || this.native === undefined) return;
    this.#sendScheduled = true;
    this.#delegate.scheduleSend(this);
  }

  #scheduleRead(): void {
    if (this.#readScheduled || this.native === undefined) return;
    this.#readScheduled = true;
    this.#delegate.scheduleRead(this);
  }

  /**
   * Gives every readable stream its bytes. Asking quiche about one stream costs a sixtieth of asking it
   * for the list, and usually it is the peer's next stream or one of a few that are open.
   */
  #readStreams(native: NativeConnection): void {
    if (this.#phase === 'open' && native.isReadable()) {
      // A handler may close the connection at any of these.
      while (this.native !== undefined && native.streamReadable(this.#nextOfPeer.bi))
        this.#readStream(native, this.#nextOfPeer.bi);
      while (this.native !== undefined && native.streamReadable(this.#nextOfPeer.uni))
        this.#readStream(native, this.#nextOfPeer.uni);
      if (this.#streams.size <= ASK_EACH_MAX) {
        for (const stream of this.#streams.values()) {
          if (stream.wantsData && native.streamReadable(stream.id)) stream.read(native, this.#delegate.readBuffer);
        }
      }
    }
    if (native.isReadable()) {
      for (const id of native.readable()) {
        if (this.native === undefined) break;
        this.#readStream(native, id);
      }
    }
    for (const stream of this.stoppable) stream.checkStopped(native);
    for (const id of this.#reset) if (collected(native, id)) this.#reset.delete(id);
  }

  #readStream(native: NativeConnection, id: number): void {
    const stream = this.#streams.get(id) ?? this.#unknownStream(native, id);
    stream?.read(native, this.#delegate.readBuffer);
  }

  #unknownStream(native: NativeConnection, id: number): QuicStream | undefined {
    const fromServer = (id & 0x1) === 1;
    const local = fromServer === (this.direction === 'inbound');
    if (local) return undefined;
    if (id === CLIENT_CONTROL_STREAM || id === SERVER_CONTROL_STREAM) {
      this.#readControl(native, id);
      return undefined;
    }
    if (this.#phase !== 'open') return undefined;
    const stream = new QuicStream(this, id, false);
    this.#nextOfPeer[stream.kind] = Math.max(this.#nextOfPeer[stream.kind], id + 4);
    this.#streams.set(id, stream);
    try {
      this.onStream(stream);
    } catch (error) {
      this.#delegate.log.error('stream-handler-threw', { connection: this.id, reason: String(error) });
      stream.abort(CLOSE_CODES.done);
    }
    return stream;
  }

  #readControl(native: NativeConnection, id: number): void {
    let result: [number, boolean] | null = null;
    try {
      result = native.streamRecv(id, this.#delegate.readBuffer);
    } catch {
      this.misbehaved('reset its control stream');
      return;
    }
    if (result === null) return;
    this.#control.push(Buffer.from(this.#delegate.readBuffer.subarray(0, result[0])));
    const bytes = Buffer.concat(this.#control);
    if (bytes.length < CONTROL_BYTES && !result[1]) return;
    const hello = decodeHello(bytes);
    if (hello === undefined) this.misbehaved('a malformed greeting');
    else if (this.#phase !== 'handshake' && this.incarnation === undefined) this.#delegate.greeted(this, hello);
  }

  #openStream(kind: 'bi' | 'uni', signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    signal?.throwIfAborted();
    if (this.native === undefined || this.#phase !== 'open') {
      throw transportErrors.make('closed', { reason: this.closed?.reason ?? 'not open' });
    }
    return this.#opens.open(this.native, kind, signal);
  }

  /** Sends until quiche has nothing more; returns the last datagram, valid until the buffer is used again. */
  #transmit(native: NativeConnection): Uint8Array | undefined {
    let buffer = this.#delegate.sendBuffer;
    let room = buffer.subarray(0, this.size.bytes);
    let last = 0;
    let lastBuffer = buffer;
    this.#acks.sent(this.#delegate.clock.monotonic());
    for (let count = 0; ; count++) {
      if (!this.amplification.allows(room.length)) break;
      if (count === BURST_MAX) {
        this.touch();
        break;
      }
      let result: ReturnType<NativeConnection['send']>;
      try {
        result = native.send(room);
      } catch (error) {
        this.#delegate.log.warn('send-failed', { connection: this.id, reason: (error as Error).message });
        break;
      }
      if (result === null) break;
      last = result[0];
      lastBuffer = buffer;
      this.#traffic.bytesOut += last;
      this.amplification.sent(last);
      const { to } = result[1];
      if (to.port !== this.#recvInfo.from.port || to.host !== this.#recvInfo.from.host) this.#moved(to);
      this.path.send(buffer, last);
      if (last === room.length) this.size.sentFull();
      if (buffer !== this.#delegate.sendBuffer || room.length !== this.size.bytes) {
        buffer = this.#delegate.sendBuffer;
        room = buffer.subarray(0, this.size.bytes);
      }
    }
    return last === 0 ? undefined : lastBuffer.subarray(0, last);
  }

  /** QUIC validated another address of the peer (RFC 9000 §9): a NAT gave it a new port. */
  #moved(to: { host: string; port: number }): void {
    this.path = this.path.towards(socketAddress(to.host, to.port));
    this.#recvInfo = { from: { host: to.host, port: to.port }, to: this.#recvInfo.to };
    this.#delegate.counts.add('peer-moved');
  }

  #armTimer(native: NativeConnection): void {
    const { clock, limits } = this.#delegate;
    const now = clock.monotonic();
    const timeoutMs = native.timeout();
    // quiche rounds down to whole milliseconds.
    let dueAt = timeoutMs === null ? Number.POSITIVE_INFINITY : now + timeoutMs + 1;
    if (this.#phase === 'open')
      dueAt = Math.min(dueAt, Math.max(this.#lastReceivedAt, this.#lastPingAt) + limits.idleMs / 3);
    this.#timeAt(dueAt);
  }

  /** An earlier timer stays: it looks again when it fires, which is cheaper than moving it for each packet. */
  #timeAt(dueAt: number): void {
    if (dueAt >= this.#timerDueAt || dueAt === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#delegate;
    this.#timer?.cancel();
    this.#timerDueAt = dueAt;
    this.#timer = clock.timer(Math.max(0, dueAt - clock.monotonic()), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerDueAt = Number.POSITIVE_INFINITY;
    const native = this.native;
    if (native === undefined) return;
    const expired = native.timeout() === 0;
    native.onTimeout();
    if (native.isClosed()) {
      this.#endedByPeer(native);
      return;
    }
    const now = this.#delegate.clock.monotonic();
    if (expired) this.size.lossTimeout();
    const keepAliveMs = this.#delegate.limits.idleMs / 3;
    if (this.#phase === 'open' && now >= Math.max(this.#lastReceivedAt, this.#lastPingAt) + keepAliveMs) {
      this.#lastPingAt = now;
      native.sendAckEliciting();
    }
    this.#touched = true;
    this.send();
  }

  /** The peer, the network or a protocol error ended it. */
  #endedByPeer(native: NativeConnection): void {
    const { refused = false, ...info } = endOf(native);
    this.end(refused && this.incarnation === undefined ? { ...info, refused } : info);
  }
}
