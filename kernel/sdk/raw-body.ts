import type { ChunkSource } from './kit/chunks.ts';

/** Feature (`InitialExchange`) of nodes that send and take raw bytes behind a response. */
export const RAW_BLOB = 'raw-blob';

/** What may follow the response frame of a message on the same stream, as declared with the message. */
export interface RawSpec {
  /** Most bytes that a response may announce. */
  readonly maxBytes: number;
  /** Within this much time 16 KiB, or the rest, have to move: at the source, on the wire and at the reader. */
  readonly idleMs: number;
}

/**
 * The bytes behind a response, in order. To be iterated once: the peer is pushed back while the reader
 * is busy, and leaving the loop early tells it to stop.
 *
 * @throws wire/raw-truncated, wire/raw-too-long, wire/raw-aborted, wire/interrupted (its plugin was
 *   reloaded), wire/deadline, wire/connection-closed, or the reason of the signal it was asked with.
 */
export interface RawBody extends AsyncIterable<Uint8Array> {
  /** Announced by the peer; exactly as many come, or the iteration throws. */
  readonly length: number;
  /** Gives up what has not been read. Does nothing once all was read. */
  cancel(): void;
}

/** A handler's answer with bytes behind it. */
export class AnswerWithBytes<Answer> {
  readonly answer: Answer;
  readonly length: number;
  readonly source: ChunkSource;

  constructor(answer: Answer, length: number, source: ChunkSource) {
    this.answer = answer;
    this.length = length;
    this.source = source;
  }
}

/**
 * What a handler returns to have `length` bytes of `source` follow its answer. Only to a peer that
 * takes them (`call.takesBytes`); to others the request is refused before any byte.
 */
export function withBytes<Answer>(answer: Answer, length: number, source: ChunkSource): AnswerWithBytes<Answer> {
  return new AnswerWithBytes(answer, length, source);
}
