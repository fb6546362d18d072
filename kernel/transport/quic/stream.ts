import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection as NativeConnection } from '@matrixai/quic/native/types.js';
import { transportErrors } from '../errors.ts';
import { WRITE_QUEUE_LOW_BYTES } from '../limits.ts';
import { Batch } from '../batch.ts';
import type { Connection, IncomingStream, StreamAbort, TransportStream } from '../transport.ts';
import type { WaitList } from '../../sdk/kit/wait-list.ts';
import { waitingWriters } from '../waiting.ts';

/** quiche remembers "blocked" with the size of what was offered, so one offer stays well under the windows. */
const OFFER_MAX_BYTES = 1024 * 1024;

/**
 * quiche never gives back the credit of a peer's uni-stream that was stopped (its receive half is
 * drained, and a drained half is not collected). Reading a short rest and dropping it costs less.
 */
const UNI_DISCARD_MAX_BYTES = 64 * 1024;
/** On a bi-stream our reset tells the peer to stop; what still comes was under way, at most the window. */
const BI_DISCARD_MAX_BYTES = 24 * 1024 * 1024;

interface QueuedWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly fin: boolean;
}

const EMPTY = new Uint8Array(0);
const ignore = (): void => {};

/** The connection a stream belongs to. */
export interface StreamDelegate extends Connection {
  /** Undefined once the connection has ended. */
  readonly native: NativeConnection | undefined;
  /** Streams with queued bytes, which the next flush pumps. */
  readonly blocked: Set<QuicStream>;
  /** Streams with a batch, which the next send writes. */
  readonly batched: QuicStream[];
  /** Uni-streams of ours that the peer may stop while nothing is queued. */
  readonly stoppable: Set<QuicStream>;
  /** Sends, or reads and sends, at the end of this turn of the event loop. */
  touch(): void;
  touchRead(): void;
  /** Sends at once what quiche has taken. */
  sendNow(): void;
  deliver(stream: QuicStream, chunk: Uint8Array, fin: boolean): void;
  reportAbort(stream: QuicStream, reason: StreamAbort): void;
  /** quiche has its first bytes. */
  becameKnown(stream: QuicStream): void;
  /** The peer reset a bi-stream. */
  wasReset(id: number): void;
  /** Both halves have ended. */
  release(stream: QuicStream): void;
  misbehaved(reason: string): void;
  /** quiche will not return the peer's credit for one stream. */
  lostStreamCredit(): void;
}

export class QuicStream implements IncomingStream, TransportStream {
  readonly id: number;
  readonly connection: StreamDelegate;
  readonly kind: 'bi' | 'uni';
  onData: (chunk: Uint8Array, fin: boolean) => void = ignore;
  onAbort: (reason: StreamAbort) => void = ignore;
  #queuedBytes = 0;
  #readDone: boolean;
  #writeDone: boolean;
  #paused = false;
  /** Ended by an abort of either side: nothing is reported any more, what still comes is dropped. */
  #aborted = false;
  #abortCode = 0;
  #discardedBytes = 0;
  /** quiche knows a stream of ours from the first bytes on. */
  #known: boolean;
  /** All three are made when needed: most streams carry one frame each way and need none. */
  #batch: Batch | undefined;
  #queue: QueuedWrite[] | undefined;
  #waiters: WaitList | undefined;

  constructor(connection: StreamDelegate, id: number, local: boolean) {
    this.connection = connection;
    this.id = id;
    this.kind = (id & 0x2) === 0 ? 'bi' : 'uni';
    this.#known = !local;
    this.#readDone = local && this.kind === 'uni';
    this.#writeDone = !local && this.kind === 'uni';
  }

  get pendingBytes(): number {
    return this.#queuedBytes + (this.#batch?.bytes ?? 0);
  }

  /** Whether reading it now can give anything to anybody. */
  get wantsData(): boolean {
    return !this.#readDone && (!this.#paused || this.#aborted);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.connection.touchRead();
  }

  append(bytes: Uint8Array): void {
    if (this.#writeDone) return;
    this.#batch ??= new Batch();
    if (this.#batch.bytes === 0) this.connection.batched.push(this);
    this.#batch.add(bytes);
    this.connection.touch();
  }

  /** What was appended is written. */
  writeBatch(): void {
    if (this.#batch === undefined || this.#batch.bytes === 0) return;
    this.write(this.#batch.take(), false);
    if (this.pendingBytes < WRITE_QUEUE_LOW_BYTES) this.#waiters?.all();
  }

  write(bytes: Uint8Array, fin: boolean): void {
    if (this.#writeDone) return;
    this.writeBatch();
    this.#becomeKnown();
    const native = this.connection.native;
    let offset = 0;
    if (native !== undefined && this.#queuedBytes === 0 && this.#queue === undefined)
      offset = this.#offer(native, bytes, 0, fin);
    // The offer took it all with its end, or found out that the peer stopped the stream.
    if (!this.#writeDone) {
      if (offset < bytes.length || fin) {
        this.#queue ??= [];
        this.#queue.push({ bytes, offset, fin });
        this.#queuedBytes += bytes.length - offset;
        this.connection.blocked.add(this);
      }
      if (this.kind === 'uni') this.connection.stoppable.add(this);
    }
    this.connection.touch();
  }

  async writable(signal?: AbortSignal): Promise<void> {
    if (this.#aborted || this.connection.closed !== undefined) throw transportErrors.make('stream-ended');
    if (this.pendingBytes < WRITE_QUEUE_LOW_BYTES) return;
    this.#waiters ??= waitingWriters();
    await this.#waiters.wait(signal);
  }

  abort(code: number): void {
    if (this.#aborted || (this.#readDone && this.#writeDone)) return;
    this.#end(code);
  }

  /** Gives quiche what it takes of the queue; true when nothing is left. Called by the connection's flush. */
  pump(native: NativeConnection): boolean {
    const queue = this.#queue ?? [];
    for (let entry = queue[0]; entry !== undefined; entry = queue[0]) {
      const before = entry.offset;
      entry.offset = this.#offer(native, entry.bytes, before, entry.fin);
      // The last of it went, or the peer stopped the stream.
      if (this.#writeDone) break;
      this.#queuedBytes -= entry.offset - before;
      if (entry.offset < entry.bytes.length || entry.fin) break;
      queue.shift();
    }
    if (this.#writeDone || queue.length === 0) {
      this.#queue = undefined;
      this.#queuedBytes = 0;
    }
    if (this.pendingBytes < WRITE_QUEUE_LOW_BYTES) this.#waiters?.all();
    return this.#queue === undefined;
  }

  /** Reads until nothing is left, the stream is paused or it ended. Called by the connection's flush. */
  read(native: NativeConnection, scratch: Uint8Array): void {
    while (this.wantsData) {
      let result: [number, boolean] | null;
      try {
        result = native.streamRecv(this.id, scratch);
      } catch (error) {
        this.#onReset(codeIn(error));
        return;
      }
      if (result === null) return;
      const length = result[0];
      const fin = result[1];
      if (fin) this.#readDone = true;
      if (this.#aborted) this.#discard(native, length);
      else if (length > 0 || fin)
        this.connection.deliver(this, length === scratch.length ? scratch : scratch.subarray(0, length), fin);
      if (fin) this.#settle();
      if (length < scratch.length) return;
    }
  }

  /** Notices a STOP_SENDING on a stream without queued bytes. */
  checkStopped(native: NativeConnection): void {
    try {
      native.streamCapacity(this.id);
    } catch (error) {
      this.#onStopped(codeIn(error));
    }
  }

  /** The connection is gone. */
  connectionEnded(): void {
    this.#waiters?.refuseAll(transportErrors.make('stream-ended'));
    this.#queue = undefined;
    this.#batch = undefined;
    this.#queuedBytes = 0;
    const report = !this.#aborted && !(this.#readDone && this.#writeDone);
    this.#aborted = true;
    this.#readDone = this.#writeDone = true;
    if (report) this.connection.reportAbort(this, { by: 'connection', code: undefined });
  }

  /** Gives quiche what it takes from `offset` on; says how far that got. With all of it goes the end. */
  #offer(native: NativeConnection, bytes: Uint8Array, offset: number, fin: boolean): number {
    try {
      for (;;) {
        const end = Math.min(bytes.length, offset + OFFER_MAX_BYTES);
        const last = end === bytes.length;
        const part = offset === 0 && last ? bytes : bytes.subarray(offset, end);
        const sent = native.streamSend(this.id, part, fin && last);
        if (sent === null) return offset;
        offset += sent;
        if (sent < part.length) return offset;
        if (last) break;
      }
    } catch (error) {
      this.#onStopped(codeIn(error));
      return offset;
    }
    if (fin) {
      this.#writeDone = true;
      this.#settle();
    }
    return offset;
  }

  #onReset(code: number | undefined): void {
    this.#readDone = true;
    if (this.kind === 'bi') this.connection.wasReset(this.id);
    if (this.#aborted) {
      this.#settle();
      return;
    }
    this.#end(code ?? 0);
    this.connection.reportAbort(this, { by: 'peer', code });
  }

  #onStopped(code: number | undefined): void {
    this.#writeDone = true;
    this.#end(code ?? 0);
    this.connection.reportAbort(this, { by: 'peer', code });
  }

  #end(code: number): void {
    this.#aborted = true;
    this.#abortCode = code;
    this.#queue = undefined;
    this.#batch = undefined;
    this.#queuedBytes = 0;
    this.#waiters?.refuseAll(transportErrors.make('stream-ended'));
    const native = this.connection.native;
    if (native !== undefined && !this.#writeDone) {
      // A stream quiche has not heard of cannot be reset, and its number would stay unused at the peer.
      if (!this.#known) native.streamSend(this.id, EMPTY, false);
      this.#becomeKnown();
      // Nor does quiche ever collect a half that was reset with bytes it had taken and not yet sent.
      this.connection.sendNow();
      native.streamShutdown(this.id, quiche.Shutdown.Write, code);
    }
    this.#writeDone = true;
    this.#settle();
    // What has come and nobody wants any more must still be read.
    this.connection.touchRead();
  }

  #discard(native: NativeConnection, bytes: number): void {
    this.#discardedBytes += bytes;
    if (this.#readDone) return;
    if (this.kind === 'bi' && this.#discardedBytes > BI_DISCARD_MAX_BYTES) {
      this.connection.misbehaved('sends on a stream that was reset');
    } else if (this.kind === 'uni' && this.#discardedBytes > UNI_DISCARD_MAX_BYTES) {
      native.streamShutdown(this.id, quiche.Shutdown.Read, this.#abortCode);
      this.#readDone = true;
      this.#settle();
      this.connection.lostStreamCredit();
    }
  }

  #becomeKnown(): void {
    if (this.#known) return;
    this.#known = true;
    this.connection.becameKnown(this);
  }

  #settle(): void {
    if (this.#readDone && this.#writeDone) this.connection.release(this);
  }
}

/** The application code inside quiche's `StreamReset(7)` and `StreamStopped(7)`; undefined for its other errors. */
function codeIn(error: unknown): number | undefined {
  const match = /^Stream(?:Reset|Stopped)\((\d+)\)/.exec((error as Error).message);
  return match === null ? undefined : Number(match[1]);
}
