import { transportErrors } from '../../transport/errors.ts';
import type { StreamReader } from '../calls.ts';
import type { Identified } from './id-table.ts';
import type { Connection, IncomingStream, StreamAbort, TransportStream } from '../../transport/transport.ts';

const ignore = (): void => {};

/** The shared stream it came on. */
export interface RequestHost {
  readonly connection: Connection;
  readonly pendingBytes: number;
  /** Sends the answer; a long one on a stream of its own, which is returned. */
  answer(request: IncomingRequest, frame: Uint8Array): TransportStream | Promise<TransportStream> | undefined;
  leaveUnanswered(request: IncomingRequest, code: number): void;
  /** Resolves when `pendingBytes` is low again; rejects when the stream ends first. */
  writable(): Promise<void>;
}

/** One request on a shared stream, as a stream of its own: its frame has come, and one frame goes back. */
export class IncomingRequest implements IncomingStream, Identified<IncomingRequest> {
  readonly id: number;
  readonly kind = 'bi';
  readonly connection: Connection;
  onData = ignore;
  onAbort = ignore;
  nextInTable: IncomingRequest | undefined;
  /** Who has its frame, and hears of its end. */
  reader: StreamReader | undefined;
  readonly #shared: RequestHost;
  #done = false;
  /** The stream on which the answer goes, or that is being opened for it. */
  #own: TransportStream | Promise<TransportStream> | undefined;

  constructor(shared: RequestHost, id: number) {
    this.#shared = shared;
    this.id = id;
    this.connection = shared.connection;
  }

  /** A long answer keeps the place of its call until its stream is open, so that such answers cannot pile up. */
  get pendingBytes(): number {
    if (this.#own instanceof Promise) return Number.POSITIVE_INFINITY;
    return this.#own === undefined ? this.#shared.pendingBytes : this.#own.pendingBytes;
  }

  /** Its frame was whole when it came. */
  pause(): void {}
  resume(): void {}

  write(frame: Uint8Array): void {
    if (this.#done) return;
    this.#done = true;
    this.#own = this.#shared.answer(this, frame);
    if (this.#own instanceof Promise) {
      this.#own = this.#own.then((stream) => {
        this.#own = stream;
        return stream;
      });
      // Who waits for `writable` hears of a failure.
      this.#own.catch(ignore);
    }
  }

  async writable(): Promise<void> {
    if (this.#own === undefined) await this.#shared.writable();
    else await (await this.#own).writable();
  }

  abort(code: number): void {
    if (this.#own !== undefined) {
      Promise.resolve(this.#own).then((stream) => stream.abort(code), ignore);
    } else if (!this.#done) {
      this.#done = true;
      this.#shared.leaveUnanswered(this, code);
    }
  }

  /** The peer called it off, or its shared stream ended. */
  ended(reason: StreamAbort): void {
    if (this.#done) return;
    this.#done = true;
    this.reader?.aborted(reason);
  }
}

/** Stands for the stream of a notice, which is whole when it comes and gets no answer. */
export class NoticeStream implements IncomingStream {
  readonly id = -1;
  readonly kind = 'uni';
  readonly pendingBytes = 0;
  readonly connection: Connection;
  onData = ignore;
  onAbort = ignore;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  pause(): void {}
  resume(): void {}
  write(): void {}
  abort(): void {}

  async writable(): Promise<void> {
    throw transportErrors.make('stream-ended');
  }
}
