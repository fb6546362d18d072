import { chunksOf, type ChunkSource } from '../../sdk/kit/chunks.ts';
import type { IncomingStream } from '../../transport/transport.ts';
import { wireErrors } from '../errors.ts';
import { RAW_PROGRESS_BYTES, RAW_WRITE_BYTES } from '../limits.ts';
import type { WireConnection } from '../wire-connection.ts';

const END = new Uint8Array(0);

/** The raw bytes behind an answer, on their way out. */
export interface RawBytes {
  readonly name: string;
  readonly length: number;
  readonly source: ChunkSource;
  readonly idleMs: number;
}

/** The call whose answer they follow. */
export interface RawWriterCall {
  /** It begins, or enough went out for the idle limit to start afresh. */
  restartDeadline(idleMs: number): void;
  /** The last byte and the end of the stream are with the transport. */
  rawSent(): void;
  /** The source failed, or is not as long as it said. */
  rawFailed(error: unknown): void;
}

/** Writes the raw bytes behind an answer, no faster than the peer reads them. */
export class RawWriter {
  readonly #wire: WireConnection;
  readonly #stream: IncomingStream;
  readonly #bytes: RawBytes;
  readonly #call: RawWriterCall;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #sent = 0;
  /** Sent since the idle limit last started afresh. */
  #moved = 0;
  #stopped = false;

  constructor(wire: WireConnection, stream: IncomingStream, bytes: RawBytes, call: RawWriterCall) {
    this.#wire = wire;
    this.#stream = stream;
    this.#bytes = bytes;
    this.#call = call;
  }

  /** Ends with one call of `rawSent` or `rawFailed`, or with neither after `stop`. */
  start(): void {
    this.#call.restartDeadline(this.#bytes.idleMs);
    this.#run().then(
      () => this.#stopped || this.#call.rawSent(),
      (error: unknown) => this.#stopped || this.#call.rawFailed(error),
    );
  }

  async #run(): Promise<void> {
    const { length, source } = this.#bytes;
    const iterator = chunksOf(source);
    this.#iterator = iterator;
    for (;;) {
      const next = await iterator.next();
      this.#check();
      if (next.done) break;
      if (this.#sent + next.value.length > length) throw this.#error('raw-too-long');
      await this.#write(next.value);
    }
    if (this.#sent < length) throw this.#error('raw-truncated');
    this.#stream.write(END, true);
    await this.#stream.writable();
  }

  /** No more is taken from the source, which is told by its `return`. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const iterator = this.#iterator;
    if (iterator !== undefined) end(() => iterator);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { context } = this.#wire;
    for (let from = 0; from < chunk.length; from += RAW_WRITE_BYTES) {
      const part = chunk.subarray(from, from + RAW_WRITE_BYTES);
      context.bufferedBytes += part.length;
      try {
        this.#stream.write(part, false);
        await this.#stream.writable();
      } finally {
        context.bufferedBytes -= part.length;
      }
      this.#check();
      this.#sent += part.length;
      this.#progressed(part.length);
    }
  }

  #progressed(bytes: number): void {
    this.#wire.touch();
    this.#wire.context.counters.add('raw-bytes-out', bytes);
    this.#moved += bytes;
    if (this.#moved < RAW_PROGRESS_BYTES && this.#sent < this.#bytes.length) return;
    this.#moved = 0;
    this.#call.restartDeadline(this.#bytes.idleMs);
  }

  #check(): void {
    if (this.#stopped) throw this.#error('raw-aborted');
  }

  #error(code: 'raw-truncated' | 'raw-too-long' | 'raw-aborted') {
    const { name, length } = this.#bytes;
    return wireErrors.make(code, { name, length, bytes: this.#sent });
  }
}

/** Ends a source that is not going to be read. */
export function discard(source: ChunkSource): void {
  end(() => chunksOf(source));
}

/** A source that is busy ends later; one that fails to end has nobody left to tell. */
function end(iterator: () => AsyncIterator<Uint8Array>): void {
  void (async () => iterator().return?.())().catch(() => {});
}
