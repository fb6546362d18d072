import type { Connection, Stream, StreamAbort } from '../../transport/transport.ts';
import type { OutgoingSharedStream } from './outgoing-shared-stream.ts';
import type { Line } from './turns.ts';

const ignore = (): void => {};

/** One message of ours on a shared stream, as a stream of its own: one frame out, and for a request one in. */
export class OutgoingMessage implements Stream {
  readonly id: number;
  readonly line: Line;
  readonly connection: Connection;
  onData: (chunk: Uint8Array, fin: boolean) => void = ignore;
  onAbort: (reason: StreamAbort) => void = ignore;
  /** QUIC id of the stream on which the answer comes, once that is told. */
  elsewhere: number | undefined;
  /** It has been called off, or needs the shared stream no more. */
  done = false;
  written = false;
  readonly #shared: OutgoingSharedStream;
  /** The stream on which the answer comes. */
  #own: Stream | undefined;

  constructor(shared: OutgoingSharedStream, id: number, line: Line) {
    this.#shared = shared;
    this.id = id;
    this.line = line;
    this.connection = shared.connection;
  }

  get pendingBytes(): number {
    return this.#shared.pendingBytes;
  }

  /** An answer in a record is whole when it comes, and one on a stream of its own is bounded by its message. */
  pause(): void {}
  resume(): void {}

  write(bytes: Uint8Array): void {
    if (!this.done) this.#shared.send(this, bytes);
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
