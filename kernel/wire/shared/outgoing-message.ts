import { transportErrors } from '../../transport/errors.ts';
import type { Connection, Stream, StreamAbort } from '../../transport/transport.ts';
import type { Identified } from './id-table.ts';
import type { Line } from './turns.ts';

const ignore = (): void => {};

/** The shared stream it goes on. */
export interface MessageHost {
  readonly connection: Connection;
  readonly pendingBytes: number;
  /** @throws transport/stream-ended */
  send(message: OutgoingMessage, frame: Uint8Array): void;
  /** Resolves when `pendingBytes` is low again; rejects when the stream ends first. */
  writable(): Promise<void>;
  callOff(message: OutgoingMessage, code: number): void;
  /** It is answered, or its answer comes elsewhere, or not at all. */
  release(message: OutgoingMessage): void;
}

/** One message of ours on a shared stream, as a stream of its own: one frame out, and for a request one in. */
export class OutgoingMessage implements Stream, Identified<OutgoingMessage> {
  readonly id: number;
  readonly line: Line;
  readonly connection: Connection;
  onData: (chunk: Uint8Array, fin: boolean) => void = ignore;
  onAbort: (reason: StreamAbort) => void = ignore;
  /** QUIC id of the stream on which the answer comes, once that is told. */
  elsewhere: number | undefined;
  nextInTable: OutgoingMessage | undefined;
  /** It has been called off, or needs the shared stream no more. */
  done = false;
  written = false;
  readonly #shared: MessageHost;
  /** The stream on which the answer comes. */
  #own: Stream | undefined;

  constructor(shared: MessageHost, id: number, line: Line) {
    this.#shared = shared;
    this.id = id;
    this.line = line;
    this.connection = shared.connection;
  }

  get pendingBytes(): number {
    return this.#shared.pendingBytes;
  }

  /** An answer in a capsule is whole when it comes, and one on a stream of its own is bounded by its message. */
  pause(): void {}
  resume(): void {}

  /** @throws transport/stream-ended */
  write(bytes: Uint8Array): void {
    if (this.done) throw transportErrors.make('stream-ended');
    this.#shared.send(this, bytes);
  }

  writable(): Promise<void> {
    return this.#shared.writable();
  }

  abort(code: number): void {
    if (this.#own !== undefined) this.#own.abort(code);
    else if (!this.done) this.#shared.callOff(this, code);
  }

  /** It needs the shared stream no more. */
  release(): void {
    this.#shared.release(this);
  }

  /** The answer comes on this stream. */
  follow(own: Stream): void {
    this.#own = own;
  }
}
