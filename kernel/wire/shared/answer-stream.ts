import type { IncomingStream } from '../../transport/transport.ts';
import type { StreamReader } from '../calls.ts';
import { Deadline } from '../deadlines.ts';
import type { Expiring } from '../deadlines.ts';
import { HEADER_DEADLINE_MS, RESET_CODES } from '../limits.ts';
import type { SharedHost } from './host.ts';
import type { OutgoingMessage } from './outgoing-message.ts';

/** The byte 0xF3 and the id of a request. */
const HEADER_BYTES = 5;

/** A uni-stream with one answer that was too long for a capsule; from the frame on it is the call's. */
export class AnswerStream implements StreamReader, Expiring {
  readonly #wire: SharedHost;
  readonly #stream: IncomingStream;
  readonly #take: (id: number) => OutgoingMessage | undefined;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #deadline = new Deadline(this);
  #headerBytes = 0;
  #message: OutgoingMessage | undefined;

  /** `take` gives the call that waits for this answer; undefined when none does any more. */
  constructor(wire: SharedHost, stream: IncomingStream, take: (id: number) => OutgoingMessage | undefined) {
    this.#wire = wire;
    this.#stream = stream;
    this.#take = take;
    wire.expireAfter(this.#deadline, HEADER_DEADLINE_MS);
  }

  read(chunk: Uint8Array, fin: boolean): void {
    if (this.#message !== undefined) {
      this.#message.onData(chunk, fin);
      return;
    }
    const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length);
    this.#header.set(chunk.subarray(0, taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) this.#begin(chunk.subarray(taken), fin);
    else if (fin) this.#wire.context.deadlines.clear(this.#deadline);
  }

  aborted(reason: Parameters<StreamReader['aborted']>[0]): void {
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#message?.onAbort(reason);
  }

  expire(): void {
    this.#wire.context.counters.add('unfinished-streams');
    this.#stream.abort(RESET_CODES.deadline);
  }

  #begin(rest: Uint8Array, fin: boolean): void {
    this.#wire.context.deadlines.clear(this.#deadline);
    this.#message = this.#take(this.#header.readUInt32BE(1));
    if (this.#message === undefined) {
      // It was called off meanwhile.
      this.#wire.context.counters.add('late-answers');
      this.#stream.abort(RESET_CODES.cancelled);
      return;
    }
    this.#message.follow(this.#stream);
    if (rest.length > 0 || fin) this.#message.onData(rest, fin);
  }
}
