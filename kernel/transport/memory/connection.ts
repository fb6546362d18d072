import type { Clock } from '../../sdk/clock.ts';
import type { PeerId } from '../../sdk/identifiers.ts';
import type { Log } from '../../sdk/log.ts';
import { CLOSE_CODES } from '../../sdk/network.ts';
import { closeReason } from '../close-reason.ts';
import { transportErrors } from '../errors.ts';
import type {
  CloseInfo,
  ConnectionStats,
  IncomingStream,
  SocketAddress,
  TransportLimits,
  TransportStream,
} from '../transport.ts';
import type { MemorySocket, SocketHost } from './socket.ts';
import type { Lane } from './lane.ts';
import { waitingOpens } from '../waiting.ts';
import { MemoryStream, type StreamDelegate, type StreamPeer } from './stream.ts';

/** As a QUIC packet with its UDP and IP headers, for `ConnectionStats`. */
const PACKET_BYTES = 1_350;
const PACKET_OVERHEAD_BYTES = 60;
const ignore = (): void => {};

/** The endpoint a connection ends at. */
export interface ConnectionDelegate extends SocketHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: TransportLimits;
  readonly address: SocketAddress;
  rttMs(host: string): number;
  ended(connection: MemoryConnection): void;
}

/** One end of a connection of the in-memory network. */
export class MemoryConnection implements StreamDelegate, StreamPeer {
  readonly id: number;
  readonly peer: PeerId;
  readonly direction: 'inbound' | 'outbound';
  readonly remote: SocketAddress;
  readonly incarnation: string;
  openedAtMs = 0;
  closed: CloseInfo | undefined;
  onStream: (stream: TransportStream & IncomingStream) => void = ignore;
  onClose: (info: CloseInfo) => void = ignore;
  /** The other end; set once both exist. */
  far!: MemoryConnection;

  readonly endpoint: ConnectionDelegate;
  /** The socket it lives on. */
  readonly socket: MemorySocket;
  readonly #lane: Lane;
  readonly #streams = new Map<number, MemoryStream>();
  readonly #opens = { bi: waitingOpens(), uni: waitingOpens() };
  #opened = { bi: 0, uni: 0 };
  /** Streams we opened that the peer still counts. */
  #counted = { bi: 0, uni: 0 };
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(
    id: number,
    socket: MemorySocket<ConnectionDelegate>,
    peer: { id: PeerId; incarnation: string; address: SocketAddress },
    direction: 'inbound' | 'outbound',
    lane: Lane,
  ) {
    this.id = id;
    this.socket = socket;
    this.endpoint = socket.endpoint;
    this.peer = peer.id;
    this.incarnation = peer.incarnation;
    this.remote = peer.address;
    this.direction = direction;
    this.#lane = lane;
  }

  openBi(signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    return this.#open('bi', signal);
  }

  openUni(signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    return this.#open('uni', signal);
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) return;
    for (const stream of this.#streams.values()) stream.writeBatch();
    this.tell((far) => far.end({ byPeer: true, code, reason: closeReason(code, Buffer.from(reason)) }));
    this.end({ byPeer: false, code, reason });
  }

  stats(): ConnectionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      rttMs: this.endpoint.rttMs(this.remote.host),
      datagramBytes: PACKET_BYTES,
    };
  }

  // What follows is for the endpoint, the streams and the far end.

  /** Tells the far end something after the link's delay, in order. */
  tell(message: (far: MemoryConnection) => void, bytes = 0): void {
    if (this.closed !== undefined) return;
    const size = bytes + PACKET_OVERHEAD_BYTES;
    this.#bytesOut += size;
    this.#lane.send(() => {
      const { far } = this;
      if (far.closed !== undefined) return;
      far.#bytesIn += size;
      message(far);
    });
  }

  soon(run: () => void): void {
    this.endpoint.clock.timer(0, run);
  }

  /** The link carries messages again. */
  resume(): void {
    this.#lane.resume();
  }

  /** Its machine is gone: nothing here is called any more, and what is under way is lost. */
  vanish(): void {
    this.closed = { byPeer: false, code: undefined, reason: 'transport/lost' };
    this.#lane.stop();
  }

  guard(stream: MemoryStream | undefined, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.endpoint.log.error('stream-handler-threw', { connection: this.id, reason: String(error) });
      stream?.abort(CLOSE_CODES.done);
    }
  }

  streamData(id: number, bytes: Uint8Array, fin: boolean): void {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      // A stream of ours that is not known any more was aborted here; the abort is on its way.
      if (this.#isLocal(id) || !this.#isNew(id)) return;
      stream = new MemoryStream(this, id, false);
      this.#streams.set(id, stream);
      const incoming = stream;
      this.guard(stream, () => this.onStream(incoming));
    }
    stream.receive(bytes, fin);
  }

  streamGrant(id: number, bytes: number): void {
    this.#streams.get(id)?.grant(bytes);
  }

  streamAborted(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) stream.abortedByPeer(code);
    else if (!this.#isLocal(id) && this.#isNew(id)) this.tell((far) => far.streamFreed(id));
  }

  /** The far end is done with a stream we opened: it counts no more. */
  streamFreed(id: number): void {
    const kind = (id & 0x2) === 0 ? 'bi' : 'uni';
    this.#counted[kind]--;
    const queue = this.#opens[kind];
    if (queue.size > 0) queue.next(this.#newStream(kind));
  }

  release(stream: MemoryStream): void {
    if (!this.#streams.delete(stream.id)) return;
    if (this.#isLocal(stream.id)) return;
    // Half of all events would be this one, and only who waits for it can tell when it came.
    const { far } = this;
    if (far.#opens[stream.kind].size === 0) far.#counted[stream.kind]--;
    else this.tell(() => far.streamFreed(stream.id));
  }

  end(info: CloseInfo): void {
    if (this.closed !== undefined) return;
    this.closed = info;
    const reason = transportErrors.make('closed', { reason: info.reason });
    this.#opens.bi.refuseAll(reason);
    this.#opens.uni.refuseAll(reason);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.connectionEnded();
    this.endpoint.ended(this);
    this.guard(undefined, () => this.onClose(info));
  }

  #seen = { bi: -1, uni: -1 };

  /** Ids of the peer come in order here, so a number seen before belongs to a stream that has ended. */
  #isNew(id: number): boolean {
    const kind = (id & 0x2) === 0 ? 'bi' : 'uni';
    if (id <= this.#seen[kind]) return false;
    this.#seen[kind] = id;
    return true;
  }

  #isLocal(id: number): boolean {
    return ((id & 0x1) === 1) === (this.direction === 'inbound');
  }

  #open(kind: 'bi' | 'uni', signal?: AbortSignal): Promise<TransportStream> | TransportStream {
    signal?.throwIfAborted();
    if (this.closed !== undefined) throw transportErrors.make('closed', { reason: this.closed.reason });
    if (this.#opens[kind].size === 0 && this.#counted[kind] < this.far.endpoint.limits.maxStreamsPerConnection)
      return this.#newStream(kind);
    return this.#opens[kind].wait(signal);
  }

  #newStream(kind: 'bi' | 'uni'): MemoryStream {
    this.#counted[kind]++;
    const id = this.#opened[kind]++ * 4 + (kind === 'uni' ? 2 : 0) + (this.direction === 'inbound' ? 1 : 0);
    const stream = new MemoryStream(this, id, true);
    this.#streams.set(id, stream);
    return stream;
  }
}
