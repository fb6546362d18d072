import { transportErrors } from '../errors.ts';
import { WRITE_QUEUE_LOW_BYTES } from '../limits.ts';
import { Batch } from '../batch.ts';
import type { Connection, IncomingStream, StreamAbort, TransportStream } from '../transport.ts';
import type { WaitList } from '../../sdk/kit/wait-list.ts';
import { waitingWriters } from '../waiting.ts';

/** Bytes under way or unread at the far end, as QUIC's stream window. */
const WINDOW_BYTES = 1024 * 1024;
const ignore = (): void => {};

/** What one end of a stream tells the other. */
export interface StreamPeer {
  streamData(id: number, bytes: Uint8Array, fin: boolean): void;
  streamGrant(id: number, bytes: number): void;
  streamAborted(id: number, code: number): void;
}

/** The connection a stream belongs to. */
export interface StreamDelegate extends Connection {
  /** Tells the far end something after the link's delay, in order. */
  tell(message: (far: StreamPeer) => void, bytes?: number): void;
  /** Runs it in a turn of its own. */
  soon(run: () => void): void;
  /** Runs a callback of the layer above; aborts the stream when it throws. */
  guard(stream: MemoryStream, run: () => void): void;
  /** Both halves have ended. */
  release(stream: MemoryStream): void;
}

/** One end of a stream; the other end is found by its id on the other end of the connection. */
export class MemoryStream implements IncomingStream, TransportStream {
  readonly id: number;
  readonly connection: StreamDelegate;
  readonly kind: 'bi' | 'uni';
  onData: (chunk: Uint8Array, fin: boolean) => void = ignore;
  onAbort: (reason: StreamAbort) => void = ignore;
  #queuedBytes = 0;
  #batch: Batch | undefined;
  #readDone: boolean;
  #writeDone: boolean;
  #aborted = false;
  #paused = false;
  #delivering = false;
  #window = WINDOW_BYTES;
  #outbox: { bytes: Uint8Array; fin: boolean }[] = [];
  #inbox: { bytes: Uint8Array; fin: boolean }[] = [];
  #waiters: WaitList | undefined;

  constructor(connection: StreamDelegate, id: number, local: boolean) {
    this.connection = connection;
    this.id = id;
    this.kind = (id & 0x2) === 0 ? 'bi' : 'uni';
    this.#readDone = local && this.kind === 'uni';
    this.#writeDone = !local && this.kind === 'uni';
  }

  get pendingBytes(): number {
    return this.#queuedBytes + (this.#batch?.bytes ?? 0);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not inside the caller, as a real network would not either.
    this.connection.soon(() => this.#deliver());
  }

  append(bytes: Uint8Array): void {
    if (this.#writeDone) return;
    this.#batch ??= new Batch();
    if (this.#batch.bytes === 0) queueMicrotask(() => this.writeBatch());
    this.#batch.add(bytes);
  }

  /** What was appended is written. */
  writeBatch(): void {
    if (this.#batch === undefined || this.#batch.bytes === 0) return;
    this.write(this.#batch.take(), false);
  }

  write(bytes: Uint8Array, fin: boolean): void {
    if (this.#writeDone || this.#outbox.at(-1)?.fin === true) return;
    this.writeBatch();
    this.#outbox.push({ bytes, fin });
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  async writable(signal?: AbortSignal): Promise<void> {
    if (this.#aborted || this.connection.closed !== undefined) throw transportErrors.make('stream-ended');
    if (this.pendingBytes < WRITE_QUEUE_LOW_BYTES) return;
    this.#waiters ??= waitingWriters();
    await this.#waiters.wait(signal);
  }

  abort(code: number): void {
    if (this.#aborted || (this.#readDone && this.#writeDone)) return;
    this.connection.tell((far) => far.streamAborted(this.id, code));
    this.#end();
  }

  /** Bytes of the far end have arrived. */
  receive(bytes: Uint8Array, fin: boolean): void {
    if (this.#aborted) return;
    this.#inbox.push({ bytes, fin });
    this.#deliver();
  }

  /** The far end has read this much. */
  grant(bytes: number): void {
    this.#window += bytes;
    this.#pump();
  }

  abortedByPeer(code: number): void {
    if (this.#aborted || (this.#readDone && this.#writeDone)) return;
    this.#end();
    this.connection.guard(this, () => this.onAbort({ by: 'peer', code }));
  }

  connectionEnded(): void {
    const report = !this.#aborted && !(this.#readDone && this.#writeDone);
    this.#end();
    if (report) this.connection.guard(this, () => this.onAbort({ by: 'connection', code: undefined }));
  }

  #pump(): void {
    let entry = this.#outbox[0];
    while (entry !== undefined && (this.#window > 0 || entry.bytes.length === 0)) {
      const whole = entry.bytes.length <= this.#window;
      const part = whole ? entry.bytes : entry.bytes.subarray(0, this.#window);
      const fin = whole && entry.fin;
      if (whole) this.#outbox.shift();
      else this.#outbox[0] = { bytes: entry.bytes.subarray(part.length), fin: entry.fin };
      this.#window -= part.length;
      this.#queuedBytes -= part.length;
      this.connection.tell((far) => far.streamData(this.id, part, fin), part.length);
      if (fin) {
        this.#writeDone = true;
        this.#settle();
      }
      entry = this.#outbox[0];
    }
    if (this.pendingBytes < WRITE_QUEUE_LOW_BYTES) this.#waiters?.all();
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    let read = 0;
    while (!this.#paused && !this.#aborted && this.#inbox.length > 0) {
      const { bytes, fin } = this.#inbox.shift() as { bytes: Uint8Array; fin: boolean };
      read += bytes.length;
      if (fin) this.#readDone = true;
      this.connection.guard(this, () => this.onData(bytes, fin));
      if (fin) this.#settle();
    }
    this.#delivering = false;
    if (read > 0 && !this.#readDone && !this.#aborted) this.connection.tell((far) => far.streamGrant(this.id, read));
  }

  #end(): void {
    this.#aborted = true;
    this.#readDone = this.#writeDone = true;
    this.#outbox = [];
    this.#inbox = [];
    this.#batch = undefined;
    this.#queuedBytes = 0;
    this.#waiters?.refuseAll(transportErrors.make('stream-ended'));
    this.connection.release(this);
  }

  #settle(): void {
    if (this.#readDone && this.#writeDone) this.connection.release(this);
  }
}
