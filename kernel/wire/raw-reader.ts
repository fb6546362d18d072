import type { ItsgoinError } from '../sdk/errors.ts';
import type { RawBody } from '../sdk/raw-body.ts';
import type { Stream, StreamAbort } from '../transport/transport.ts';
import type { Connected } from './calls.ts';
import { Deadline } from './deadlines.ts';
import type { Expiring } from './deadlines.ts';
import { wireErrors } from './errors.ts';
import * as limits from './limits.ts';
import type { WireConnection } from './wire-connection.ts';

const END = new Uint8Array(0);
const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

export interface RawReaderOptions {
  /** Of the message, for errors. */
  readonly name: string;
  readonly length: number;
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The raw bytes behind an answer, as they come in. What waits for the reader is bounded: beyond the
 * cap the stream is paused, and QUIC pushes the peer back.
 */
export class RawReader implements RawBody, AsyncIterator<Uint8Array>, Expiring, Connected {
  readonly length: number;
  rosterAt = -1;
  readonly #wire: WireConnection;
  readonly #stream: Stream;
  readonly #options: RawReaderOptions;
  readonly #deadline = new Deadline(this);
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #received = 0;
  /** Received since the idle limit last started afresh. */
  #moved = 0;
  #paused = false;
  /** All bytes and the end of the stream are here. */
  #whole = false;
  #ended = false;
  #error: unknown;
  #reading: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void } | undefined;

  constructor(wire: WireConnection, stream: Stream, options: RawReaderOptions) {
    this.#wire = wire;
    this.#stream = stream;
    this.#options = options;
    this.length = options.length;
    stream.onData = (chunk, fin) => this.receive(chunk, fin);
    stream.onAbort = (reason) => this.#aborted(reason);
    wire.sends.add(this);
    options.signal?.addEventListener('abort', this);
    this.#restartDeadline();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#unread.shift();
    if (chunk !== undefined) {
      this.#taken(chunk.length);
      return { done: false, value: chunk };
    }
    if (this.#error !== undefined) throw this.#error;
    if (this.#ended || this.#reading !== undefined) return DONE;
    return new Promise((resolve, reject) => {
      this.#reading = { resolve, reject };
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.cancel();
    return DONE;
  }

  cancel(): void {
    if (this.#ended) return;
    if (!this.#whole) this.#stream.abort(limits.RESET_CODES.cancelled);
    this.#end();
    this.#reading?.resolve(DONE);
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.#fail(this.#options.signal?.reason, limits.RESET_CODES.cancelled);
  }

  expire(): void {
    const { name, idleMs } = this.#options;
    this.#wire.context.counters.add(`deadline-out:${name}`);
    this.#fail(this.#makeError('deadline', { ms: idleMs }), limits.RESET_CODES.deadline);
  }

  disconnected(): void {
    this.#fail(this.#makeError('connection-closed', { reason: this.#wire.connection.closed?.reason ?? 'unknown' }));
  }

  receive(chunk: Uint8Array, fin: boolean): void {
    if (this.#ended) return;
    const { context } = this.#wire;
    if (this.#received + chunk.length > this.length) {
      this.#blame(this.#makeError('raw-too-long'));
      return;
    }
    if (chunk.length > 0) this.#keep(chunk);
    if (this.#ended) return;
    if (fin) this.#finished();
    else if (context.bufferedBytes > limits.BUFFERED_MAX_BYTES) {
      this.#fail(this.#makeError('bad-response', { reason: 'no room for it here' }), limits.RESET_CODES.cancelled);
    }
  }

  /** A copy, because a chunk is valid during the call only. */
  #keep(chunk: Uint8Array): void {
    this.#wire.touch();
    this.#received += chunk.length;
    this.#wire.context.counters.add('raw-bytes-in', chunk.length);
    this.#moved += chunk.length;
    if (this.#moved >= limits.RAW_PROGRESS_BYTES || this.#received === this.length) this.#restartDeadline();
    const copy = Buffer.from(chunk);
    const reading = this.#reading;
    if (reading !== undefined) {
      this.#reading = undefined;
      reading.resolve({ done: false, value: copy });
      return;
    }
    this.#unread.push(copy);
    this.#unreadBytes += copy.length;
    this.#wire.context.bufferedBytes += copy.length;
    if (this.#unreadBytes < limits.RAW_UNREAD_MAX_BYTES || this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
    // From here on the reader has to move.
    this.#restartDeadline();
  }

  #taken(bytes: number): void {
    this.#unreadBytes -= bytes;
    this.#wire.context.bufferedBytes -= bytes;
    if (this.#paused || this.#whole) this.#restartDeadline();
    if (this.#paused && this.#unreadBytes <= limits.RAW_UNREAD_MAX_BYTES / 2) {
      this.#paused = false;
      this.#stream.resume();
    }
    if (this.#whole && this.#unreadBytes === 0) this.#end();
  }

  #finished(): void {
    if (this.#received < this.length) {
      this.#blame(this.#makeError('raw-truncated'));
      return;
    }
    this.#whole = true;
    this.#stream.write(END, true);
    if (this.#unread.length > 0) return;
    this.#end();
    this.#reading?.resolve(DONE);
  }

  #aborted({ by, code }: StreamAbort): void {
    if (this.#whole) return;
    if (by === 'connection') this.disconnected();
    else this.#fail(this.#makeError(code === limits.RESET_CODES.interrupted ? 'interrupted' : 'raw-aborted'));
  }

  /** What no working peer does. */
  #blame(error: ItsgoinError): void {
    this.#wire.context.counters.add(`bad-response:${this.#options.name}`);
    this.#fail(error, limits.RESET_CODES.malformed);
    this.#wire.blame(limits.MALFORMED_POINTS);
  }

  /** Ends it with an error, which the reader meets next; what it has not read is dropped. */
  #fail(error: unknown, resetCode?: number): void {
    if (this.#ended) return;
    if (resetCode !== undefined && !this.#whole) this.#stream.abort(resetCode);
    this.#error = error;
    this.#end();
    this.#reading?.reject(error);
  }

  #end(): void {
    this.#ended = true;
    const { context } = this.#wire;
    context.deadlines.clear(this.#deadline);
    context.bufferedBytes -= this.#unreadBytes;
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#wire.sends.delete(this);
    this.#options.signal?.removeEventListener('abort', this);
  }

  #restartDeadline(): void {
    this.#moved = 0;
    const { deadlines, clock } = this.#wire.context;
    deadlines.set(this.#deadline, clock.monotonic() + this.#options.idleMs);
  }

  #makeError(code: Parameters<typeof wireErrors.make>[0], data: Record<string, string | number> = {}): ItsgoinError {
    const { name } = this.#options;
    const peer = this.#wire.connection.peer.nodeId;
    return wireErrors.make(code, { name, peer, length: this.length, bytes: this.#received, ...data });
  }
}
