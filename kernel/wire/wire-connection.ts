import type { AnyMessage } from '../sdk/message.ts';
import { CLOSE_CODES } from '../sdk/network.ts';
import { RAW_BLOB } from '../sdk/raw-body.ts';
import type { CloseReason } from '../sdk/network.ts';
import type { Connection, IncomingStream, Stream, TransportStream } from '../transport/transport.ts';
import type { PeerAccount } from './budget.ts';
import type { Blockable, Connected, ParkedFrame, StreamReader } from './calls.ts';
import type { WireContext } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { HALF_READ_MAX, HALF_READ_MAX_BYTES, MISBEHAVIOUR_MAX_POINTS, WAIT_MAX_BYTES } from './limits.ts';
import { Roster } from './roster.ts';
import type { SharedHost } from './shared/host.ts';
import { SharedStreams } from './shared/shared-streams.ts';
import type { FrameRecord } from './trace.ts';
import type { Attachment } from './wire.ts';

/** One attached connection: what is being read of it, what runs for it, and what it may still use. */
export class WireConnection implements Attachment, Blockable, SharedHost {
  readonly context: WireContext;
  readonly connection: Connection;
  readonly account: PeerAccount;
  lastActivityMs: number;
  features: ReadonlySet<string> = new Set();
  closed = false;
  /** Calls whose handler is under way. */
  readonly running = new Roster<Connected>();
  /** Messages of ours that are under way. */
  readonly sends = new Roster<Connected>();
  readonly #blameBlocks: (points: number, now: number) => void;
  #halfRead = 0;
  #halfReadBytes = 0;
  /** Partly read frames that were paused for the half-read caps, in arrival order. */
  readonly #parked: ParkedFrame[] = [];
  #waitingBytes = 0;
  /** How many full queues keep this connection from being read. */
  #blocks = 0;
  #waitBlock = false;
  /** Streams that opened meanwhile, unread, in arrival order. */
  readonly #unread: (TransportStream & IncomingStream)[] = [];
  readonly #shared: SharedStreams;

  /** `receive` takes over each message of the peer, on a stream of its own or on what stands for one. */
  constructor(
    context: WireContext,
    connection: Connection,
    account: PeerAccount,
    blameBlocks: (points: number, now: number) => void,
    receive: (wire: WireConnection, stream: IncomingStream) => StreamReader,
  ) {
    this.context = context;
    this.connection = connection;
    this.account = account;
    this.#blameBlocks = blameBlocks;
    this.lastActivityMs = context.clock.now();
    this.#shared = new SharedStreams(this, (stream) => receive(this, stream));
    connection.onStream = (stream) => this.#opened(stream);
  }

  /** A frame went in or out. */
  touch(): void {
    this.lastActivityMs = this.context.clock.now();
  }

  /** Whether raw bytes may travel behind the response of this message. */
  carriesRaw(message: AnyMessage): boolean {
    return message.response?.raw !== undefined && this.features.has(RAW_BLOB);
  }

  /** A stream for one message whose frame has so many bytes; on a shared one where that may be. */
  open(message: AnyMessage, frameBytes: number, signal: AbortSignal | undefined): Promise<Stream> | Stream {
    const { connection } = this;
    const shared = this.#shared.open(message, frameBytes, signal);
    if (shared !== undefined) return shared;
    return message.stream === 'bi' ? connection.openBi(signal) : connection.openUni(signal);
  }

  /** Writes a frame; `fin` ends our half. False when the stream ended in this very turn. */
  write(stream: Stream, frame: Uint8Array, fin = true): boolean {
    try {
      stream.write(frame, fin);
    } catch {
      this.context.counters.add('write-failed');
      return false;
    }
    this.touch();
    this.context.counters.add('frames-out');
    return true;
  }

  expireAfter(deadline: Deadline, ms: number): void {
    const { deadlines, clock } = this.context;
    deadlines.set(deadline, clock.monotonic() + ms);
  }

  failed(error: unknown): void {
    this.context.log.error('stream-handler-threw', { connection: this.connection.id, reason: String(error) });
  }

  /** Callers ask `context.trace.active` first. */
  trace(frame: Omit<FrameRecord, 'peer' | 'connection'>): void {
    const { peer, id } = this.connection;
    this.context.trace.record({ peer: peer.nodeId, connection: id, ...frame });
  }

  /** Counts misbehaviour; above the bound the connection is closed. */
  blame(points: number): void {
    const now = this.context.clock.monotonic();
    const score = this.account.blame(points, now);
    if (points > 0) this.#blameBlocks(points, now);
    if (score <= MISBEHAVIOUR_MAX_POINTS || this.closed) return;
    this.context.counters.add('closed-for-misbehaviour');
    this.context.log.warn('peer-misbehaves', {
      peer: this.connection.peer.nodeId,
      connection: this.connection.id,
      score,
    });
    this.close('misbehaviour');
  }

  close(reason: CloseReason): void {
    this.connection.close(CLOSE_CODES[reason], reason);
  }

  /** Room for a frame that comes in pieces. False: there is none, and the frame is told by `admitted` when there is. */
  reserve(frame: ParkedFrame, bytes: number): boolean {
    if (this.#halfRead < HALF_READ_MAX && this.#halfReadBytes + bytes <= HALF_READ_MAX_BYTES) {
      this.#halfRead++;
      this.#halfReadBytes += bytes;
      return true;
    }
    this.#parked.push(frame);
    return false;
  }

  unreserve(bytes: number): void {
    this.#halfRead--;
    this.#halfReadBytes -= bytes;
    for (let next = this.#parked[0]; next !== undefined; next = this.#parked[0]) {
      if (next.done) {
        this.#parked.shift();
      } else if (this.#halfRead < HALF_READ_MAX && this.#halfReadBytes + next.bytes <= HALF_READ_MAX_BYTES) {
        this.#parked.shift();
        this.#halfRead++;
        this.#halfReadBytes += next.bytes;
        next.admitted();
      } else {
        return;
      }
    }
  }

  /** A whole frame waits for its message's in-flight limit (negative: it no longer does). */
  waiting(bytes: number): void {
    this.#waitingBytes += bytes;
    if (!this.#waitBlock && this.#waitingBytes > WAIT_MAX_BYTES) {
      this.#waitBlock = true;
      this.block();
    } else if (this.#waitBlock && this.#waitingBytes <= WAIT_MAX_BYTES / 2) {
      this.#waitBlock = false;
      this.unblock();
    }
  }

  get blocked(): boolean {
    return this.#blocks > 0;
  }

  readUnread(streamId: number): void {
    const at = this.#unread.findIndex(({ id, kind }) => id === streamId && kind === 'uni');
    const [stream] = at === -1 ? [] : this.#unread.splice(at, 1);
    if (stream === undefined) return;
    this.#serve(stream);
    stream.resume();
  }

  block(): void {
    this.#blocks++;
  }

  unblock(): void {
    this.#blocks--;
    // After what is under way here, which came before.
    if (this.#blocks === 0) queueMicrotask(() => this.#shared.readOn());
    while (this.#blocks === 0) {
      const stream = this.#unread.shift();
      if (stream === undefined) return;
      this.#serve(stream);
      stream.resume();
    }
  }

  /** The connection ended. */
  detach(): void {
    this.closed = true;
    for (const call of [...this.running]) call.disconnected();
    for (const send of [...this.sends]) send.disconnected();
    this.#unread.length = 0;
    this.#parked.length = 0;
  }

  #serve(stream: TransportStream & IncomingStream): void {
    let reader: StreamReader | undefined;
    stream.onData = (chunk, fin) => {
      reader ??= this.#shared.readerOf(stream, chunk);
      reader.read(chunk, fin);
    };
    stream.onAbort = (reason) => reader?.aborted(reason);
  }

  #opened(stream: TransportStream & IncomingStream): void {
    // The rest of a turn in which the connection was closed.
    if (this.closed) return;
    if ((this.#blocks === 0 && this.#unread.length === 0) || this.#shared.expects(stream.id)) {
      this.#serve(stream);
      return;
    }
    stream.pause();
    stream.onAbort = () => {
      const at = this.#unread.indexOf(stream);
      if (at !== -1) this.#unread.splice(at, 1);
    };
    this.#unread.push(stream);
  }
}
