import type { TransportStream } from '../../transport/transport.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import { wireErrors } from '../errors.ts';
import { SHARED_FRAME_MAX_BYTES } from '../limits.ts';

/*
 * A shared stream is a bi-stream whose opener sends the byte 0xF2 and then capsules; capsules come back on
 * the other half:
 *
 *   offset  bytes  field
 *   0       1      kind
 *   1       4      id of the request it belongs to, big-endian; 0 with a notice
 *   5       ...    a frame as on a stream of its own, its payload at most 4 KiB
 *
 * A reset has its code in the frame's type byte and no payload. An answer that is longer comes on a
 * uni-stream of its own: the byte 0xF3, the id of the request, the frame. Its QUIC stream id is told
 * in a capsule, so that it is read even while the connection's new streams are left unread.
 */

/** Feature (`InitialExchange`) of nodes that take small frames on shared streams. */
export const SHARED_STREAMS = 'shared-streams';

/** First byte of a shared stream. */
export const SHARED_STREAM_CODE = 0xf2;
/** First byte of a uni-stream with one answer. */
export const ANSWER_STREAM_CODE = 0xf3;

export const CAPSULE_KINDS = {
  /** Opener only. */
  notice: 0x00,
  /** Opener only. */
  request: 0x01,
  /** The other side only. */
  answer: 0x02,
  /** Opener: the request is called off. Other side: it is not answered. */
  reset: 0x03,
  /** The other side only: the answer comes on the stream whose id, 8 bytes, is the payload. */
  elsewhere: 0x04,
} as const;

const EMPTY = new Uint8Array(0);
const ID_BYTES = 5;
export const CAPSULE_HEADER_BYTES = ID_BYTES + FRAME_HEADER_BYTES;
export const CAPSULE_MAX_BYTES = CAPSULE_HEADER_BYTES + SHARED_FRAME_MAX_BYTES;
const ELSEWHERE_BYTES = 8;

/** Whether a frame may travel in a capsule. */
export function fitsCapsule(frameBytes: number): boolean {
  return frameBytes <= FRAME_HEADER_BYTES + SHARED_FRAME_MAX_BYTES;
}

const header = Buffer.alloc(ID_BYTES);

export function appendCapsule(stream: TransportStream, kind: number, id: number, frame: Uint8Array): void {
  header[0] = kind;
  header.writeUInt32BE(id, 1);
  stream.append(header);
  stream.append(frame);
}

/** What stands for a frame in a reset. */
export function resetFrame(code: number): Uint8Array {
  return Uint8Array.of(code, 0, 0, 0, 0);
}

/** Tells the id of the stream on which an answer comes. */
export function elsewhereFrame(streamId: number): Uint8Array {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + ELSEWHERE_BYTES);
  frame[0] = ANSWER_STREAM_CODE;
  frame.writeUInt32BE(ELSEWHERE_BYTES, 1);
  frame.writeBigUInt64BE(BigInt(streamId), FRAME_HEADER_BYTES);
  return frame;
}

/** @throws wire/malformed */
export function decodeElsewhere(frame: Uint8Array): number {
  if (frame.length !== FRAME_HEADER_BYTES + ELSEWHERE_BYTES) throw malformedCapsule();
  return Number(Buffer.from(frame).readBigUInt64BE(FRAME_HEADER_BYTES));
}

export function malformedCapsule(): Error {
  return wireErrors.make('malformed', { reason: 'capsule' });
}

/** Splits what comes on a shared stream into capsules. What is partly here is kept, at most one capsule of it. */
export class CapsuleReader {
  kind = 0;
  id = 0;
  /** The frame of the capsule, or a reset's header; valid until the next call. */
  frame: Uint8Array = EMPTY;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #kept: Buffer | undefined;
  #keptBytes = 0;

  /** Takes a chunk after the one before was used up. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Part of a capsule is here, and nothing else. */
  get isPartial(): boolean {
    return this.#keptBytes > 0;
  }

  /** The next capsule. False: no whole one is here. @throws wire/malformed */
  next(): boolean {
    if (this.#keptBytes > 0) return this.#complete();
    const { length } = this.#chunk;
    const start = this.#at;
    if (length - start < CAPSULE_HEADER_BYTES) return this.#keep();
    const end = start + capsuleBytes(this.#chunk, start);
    if (end > length) return this.#keep();
    this.#at = end;
    this.#read(this.#chunk, start, end);
    return true;
  }

  /** Copies what is left of the chunk, which is valid during its call only. */
  detach(): void {
    this.feed(this.#at < this.#chunk.length ? Buffer.from(this.#chunk.subarray(this.#at)) : EMPTY);
  }

  /** Goes on with a capsule that began in an earlier chunk. */
  #complete(): boolean {
    if (this.#keptBytes < CAPSULE_HEADER_BYTES && !this.#fill(CAPSULE_HEADER_BYTES)) return false;
    const kept = this.#kept as Buffer;
    const bytes = capsuleBytes(kept, 0);
    if (!this.#fill(bytes)) return false;
    this.#keptBytes = 0;
    this.#read(kept, 0, bytes);
    return true;
  }

  #keep(): boolean {
    if (this.#at < this.#chunk.length) this.#fill(CAPSULE_MAX_BYTES);
    return false;
  }

  /** Copies until so many bytes of the capsule are kept. */
  #fill(bytes: number): boolean {
    this.#kept ??= Buffer.allocUnsafe(CAPSULE_MAX_BYTES);
    const end = Math.min(this.#chunk.length, this.#at + bytes - this.#keptBytes);
    this.#kept.set(this.#chunk.subarray(this.#at, end), this.#keptBytes);
    this.#keptBytes += end - this.#at;
    this.#at = end;
    return this.#keptBytes === bytes;
  }

  #read(bytes: Uint8Array, start: number, end: number): void {
    this.kind = bytes[start] as number;
    this.id = uint32(bytes, start + 1);
    this.frame = bytes.subarray(start + ID_BYTES, end);
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}

/** Of the capsule whose header is there. @throws wire/malformed */
function capsuleBytes(bytes: Uint8Array, start: number): number {
  const kind = bytes[start] as number;
  const length = uint32(bytes, start + CAPSULE_HEADER_BYTES - 4);
  const limit = kind === CAPSULE_KINDS.reset ? 0 : SHARED_FRAME_MAX_BYTES;
  if (kind > CAPSULE_KINDS.elsewhere || length > limit) throw malformedCapsule();
  return CAPSULE_HEADER_BYTES + length;
}
