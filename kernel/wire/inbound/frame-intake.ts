import type { IncomingStream } from '../../transport/transport.ts';
import type { ParkedFrame } from '../calls.ts';
import { FrameReader } from '../frame.ts';
import * as limits from '../limits.ts';
import type { WireConnection } from '../wire-connection.ts';

/** The call whose frame is read. */
export interface IntakeCall {
  /** Code and length are known. False: the frame is not wanted, and the intake has been closed. */
  accepts(): boolean;
  /** The frame comes in pieces. True: the hold of its plugin has no room for it, and a release calls `unpause`. */
  heldBack(): boolean;
  /** The whole payload; valid during the call only, unless the reader buffered it. */
  complete(payload: Uint8Array): void;
  /** `truncated`: the stream ended within the frame. `no-room`: too much is partly read. `endless`: it does not stop. */
  broken(fault: 'truncated' | 'no-room' | 'endless'): void;
  /** The peer ended its half, and nothing of it is left to read. */
  peerFinished(): void;
}

/** Reads the one frame of a stream that a peer opened, and drops what comes behind it. */
export class FrameIntake implements ParkedFrame {
  /** The peer's half has ended. */
  finished = false;
  /** Part of the frame is here, and there is no room for the rest: in the hold queue of its plugin, or among the partly read. */
  paused = false;
  /** Frame bytes are no longer wanted: it is whole, or refused. */
  done = false;
  readonly #wire: WireConnection;
  readonly #stream: IncomingStream;
  readonly #call: IntakeCall;
  readonly #reader = new FrameReader();
  #reserved = false;
  #ignorable = limits.TRAILING_MAX_BYTES;

  constructor(wire: WireConnection, stream: IncomingStream, call: IntakeCall) {
    this.#wire = wire;
    this.#stream = stream;
    this.#call = call;
  }

  /** -1 until the header is complete. */
  get code(): number {
    return this.#reader.code;
  }

  get bytes(): number {
    return this.#reader.length;
  }

  /** Whether the payload lies in a buffer of ours, and so outlives `complete`. */
  get owned(): boolean {
    return this.#reader.buffered > 0;
  }

  read(chunk: Uint8Array, fin: boolean): void {
    if (fin) this.finished = true;
    if (this.done) {
      this.#ignore(chunk.length);
      return;
    }
    let offset = 0;
    if (this.#reader.code === -1) {
      offset = this.#reader.header(chunk);
      if (offset === -1) {
        if (fin) this.#call.broken('truncated');
        return;
      }
      const partial = chunk.length - offset < this.#reader.length;
      if (!this.#call.accepts()) {
        this.#ignore(chunk.length - offset);
        return;
      }
      if (partial && !fin) this.#makeRoom();
    }
    this.#take(chunk, offset, fin);
  }

  admitted(): void {
    this.#reserved = true;
    this.#resume();
  }

  /** Reads on after a hold, as soon as there is room among the partly read frames. */
  unpause(): void {
    if (this.#wire.reserve(this, this.bytes)) this.admitted();
  }

  /** Lets go of buffer and reservation: the payload is decoded, or will not be. */
  free(): void {
    this.#wire.context.bufferedBytes -= this.#reader.buffered;
    this.#reader.free();
    if (!this.#reserved) return;
    this.#reserved = false;
    this.#wire.unreserve(this.bytes);
  }

  /** The frame is not wanted: the rest of it may still come, up to its declared length, and is dropped. */
  close(): void {
    if (!this.done && this.#reader.code !== -1) {
      this.#ignorable += Math.min(this.bytes, limits.FRAME_MAX_BYTES) - this.#reader.buffered;
    }
    this.done = true;
    this.paused = false;
    this.free();
  }

  #resume(): void {
    this.paused = false;
    this.#stream.resume();
  }

  #makeRoom(): void {
    if (!this.#call.heldBack() && this.#wire.reserve(this, this.bytes)) {
      this.#reserved = true;
      return;
    }
    this.paused = true;
    this.#stream.pause();
  }

  #take(chunk: Uint8Array, offset: number, fin: boolean): void {
    const { context } = this.#wire;
    const before = this.#reader.buffered;
    const payload = this.#reader.body(chunk, offset);
    context.bufferedBytes += this.#reader.buffered - before;
    if (payload !== undefined) {
      this.done = true;
      const trailing = chunk.length - offset - (this.bytes - before);
      this.#call.complete(payload);
      if (trailing > 0 || this.finished) this.#ignore(trailing);
    } else if (fin) {
      this.#call.broken('truncated');
    } else if (context.bufferedBytes > limits.BUFFERED_MAX_BYTES) {
      this.#call.broken('no-room');
    }
  }

  /** Bytes nobody reads: behind the frame, or of a refused one. */
  #ignore(bytes: number): void {
    if (bytes > 0) this.#wire.context.counters.add('ignored-bytes', bytes);
    if (this.finished) {
      this.#call.peerFinished();
      return;
    }
    this.#ignorable -= bytes;
    if (this.#ignorable < 0) this.#call.broken('endless');
  }
}
