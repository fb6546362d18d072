import { hexCode } from './catalogue.ts';
import { FRAME_MAX_BYTES } from './limits.ts';
import { wireErrors } from './errors.ts';

/*
 * Frame (SYNC-01), one per direction of a stream:
 *
 *   offset  bytes  field
 *   0       1      type: a code of the catalogue, 0xF0 (extension) or 0xF1 (refused)
 *   1       4      length of the payload, big-endian, at most 16 MiB (SYNC-02)
 *   5       length payload: one JSON object in strict UTF-8
 *   5+length       raw bytes, as many as the field `raw_bytes` of a response says, or else ignored
 */

export const FRAME_HEADER_BYTES = 5;

/** In the body of a response: how many raw bytes follow the frame. Ours, on top of the seeds. */
export const RAW_LENGTH_FIELD = 'raw_bytes';

/** First allocation for a frame that comes in pieces; grows with what arrives, never ahead of it by more than this factor 2. */
const FIRST_BUFFER_BYTES = 4_096;

/** A whole frame, ready for `Stream.write`. @throws wire/too-large, or TypeError when `body` is no JSON */
export function encodeFrame(code: number, body: unknown, maxBytes: number): Uint8Array {
  const json = JSON.stringify(body);
  const length = Buffer.byteLength(json);
  const limit = Math.min(maxBytes, FRAME_MAX_BYTES);
  if (length > limit) throw wireErrors.make('too-large', { name: `frame ${hexCode(code)}`, bytes: length, limit });
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
  frame[0] = code;
  frame.writeUInt32BE(length, 1);
  frame.write(json, FRAME_HEADER_BYTES, length, 'utf8');
  return frame;
}

/**
 * Reads one frame out of the chunks of a stream. A frame that lies in one chunk is not copied: its
 * payload is a view that is valid as long as the chunk. The caller checks `length` between `header`
 * and `body`; nothing is allocated for it before.
 */
export class FrameReader {
  /** -1 until the header is complete. */
  code = -1;
  /** Declared payload bytes. */
  length = 0;
  /** Payload bytes kept in a buffer of our own. */
  buffered = 0;
  #buffer: Uint8Array | undefined;
  #headerBytes = 0;

  /** Takes what is missing of the header; returns the offset behind it, or -1 when more is needed. */
  header(chunk: Uint8Array): number {
    if (this.#headerBytes === 0 && chunk.length >= FRAME_HEADER_BYTES) {
      this.#parse(chunk);
      return FRAME_HEADER_BYTES;
    }
    this.#buffer ??= new Uint8Array(FRAME_HEADER_BYTES);
    const taken = Math.min(FRAME_HEADER_BYTES - this.#headerBytes, chunk.length);
    this.#buffer.set(chunk.subarray(0, taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < FRAME_HEADER_BYTES) return -1;
    this.#parse(this.#buffer);
    this.#buffer = undefined;
    return taken;
  }

  /** Takes payload bytes from `offset` on; returns the whole payload once it is there. */
  body(chunk: Uint8Array, offset: number): Uint8Array | undefined {
    const missing = this.length - this.buffered;
    const available = Math.min(missing, chunk.length - offset);
    if (this.buffered === 0 && available === missing) return chunk.subarray(offset, offset + available);
    const buffer = this.#reserve(this.buffered + available);
    buffer.set(chunk.subarray(offset, offset + available), this.buffered);
    this.buffered += available;
    return this.buffered === this.length ? buffer.subarray(0, this.length) : undefined;
  }

  /** Lets go of the bytes. */
  free(): void {
    this.#buffer = undefined;
    this.buffered = 0;
  }

  #parse(bytes: Uint8Array): void {
    this.code = bytes[0] as number;
    this.length =
      (bytes[1] as number) * 0x1000000 +
      (((bytes[2] as number) << 16) | ((bytes[3] as number) << 8) | (bytes[4] as number));
  }

  #reserve(bytes: number): Uint8Array {
    const old = this.#buffer;
    if (old !== undefined && old.length >= bytes) return old;
    const grown = Buffer.allocUnsafe(
      Math.min(this.length, Math.max(bytes, FIRST_BUFFER_BYTES, 2 * (old?.length ?? 0))),
    );
    if (old !== undefined) grown.set(old.subarray(0, this.buffered));
    this.#buffer = grown;
    return grown;
  }
}
