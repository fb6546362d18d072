import type { AnyMessage } from '../sdk/message.ts';
import { CLOSE_CODES } from '../sdk/network.ts';
import { RAW_BLOB } from '../sdk/raw-body.ts';
import type { CloseReason } from '../sdk/network.ts';
import type { Connection, IncomingStream, Stream } from '../transport/transport.ts';
import type { PeerAccount } from './budget.ts';
import type { Blockable, Connected, ParkedFrame } from './calls.ts';
import type { WireContext } from './context.ts';
import { HALF_READ_MAX, HALF_READ_MAX_BYTES, MISBEHAVIOUR_MAX_POINTS, WAIT_MAX_BYTES } from './limits.ts';
import type { FrameRecord } from './trace.ts';
import type { Attachment } from './wire.ts';

/** One attached connection: what is being read of it, what runs for it, and what it may still use. */
export class WireConnection implements Attachment, Blockable {
  readonly context: WireContext;
  readonly connection: Connection;
  readonly account: PeerAccount;
  lastActivityMs: number;
  features: ReadonlySet<string> = new Set();
  closed = false;
  /** Calls whose handler is under way. */
  readonly running = new Set<Connected>();
  /** Messages of ours that are under way. */
  readonly sends = new Set<Connected>();
  #halfRead = 0;
  #halfReadBytes = 0;
  /** Partly read frames that were paused for the half-read caps, in arrival order. */
  readonly #parked: ParkedFrame[] = [];
  #waitingBytes = 0;
  /** How many full queues keep this connection from being read. */
  #blocks = 0;
  #waitBlock = false;
  /** Streams that opened meanwhile, unread, in arrival order. */
  readonly #unread: IncomingStream[] = [];
  readonly #serve: (stream: IncomingStream) => void;

  /** `serve` takes over each stream that is to be read; it sets the stream's callbacks. */
  constructor(
    context: WireContext,
    connection: Connection,
    account: PeerAccount,
    serve: (wire: WireConnection, stream: IncomingStream) => void,
  ) {
    this.context = context;
    this.connection = connection;
    this.account = account;
    this.lastActivityMs = context.clock.now();
    this.#serve = (stream) => serve(this, stream);
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

  /** Callers ask `context.trace.active` first. */
  trace(frame: Omit<FrameRecord, 'peer' | 'connection'>): void {
    const { peer, id } = this.connection;
    this.context.trace.record({ peer: peer.nodeId, connection: id, ...frame });
  }

  /** Counts misbehaviour; above the bound the connection is closed. */
  blame(points: number): void {
    const score = this.account.blame(points, this.context.clock.monotonic());
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

  block(): void {
    this.#blocks++;
  }

  unblock(): void {
    this.#blocks--;
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

  #opened(stream: IncomingStream): void {
    // The rest of a turn in which the connection was closed.
    if (this.closed) return;
    if (this.#blocks === 0 && this.#unread.length === 0) {
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
