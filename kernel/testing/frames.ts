import { EXTENSION_CODE, type AnyMessage } from '../sdk/message.ts';
import { FRAME_HEADER_BYTES } from '../wire/frame.ts';

/** One frame as a peer wrote it. */
export interface Frame {
  readonly code: number;
  /** Its JSON, or the bytes where they are none. */
  readonly body: unknown;
}

/** A frame as any peer might write it; `length` is what its header says of the payload. */
export function rawFrame(code: number, payload: string | Uint8Array, length?: number): Uint8Array {
  const body = Buffer.from(payload);
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + body.length);
  frame[0] = code;
  frame.writeUInt32BE(length ?? body.length, 1);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** The frame of a message with whatever body: nothing is checked. */
export function messageFrame(message: AnyMessage, body: unknown): Uint8Array {
  return message.code === undefined
    ? rawFrame(EXTENSION_CODE, JSON.stringify({ name: message.name, body }))
    : rawFrame(message.code, JSON.stringify(body));
}

/** Reads what `rawFrame` writes; undefined for less than a header. */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined;
  const payload = Buffer.from(bytes.subarray(FRAME_HEADER_BYTES));
  try {
    return { code: bytes[0] as number, body: JSON.parse(payload.toString('utf8')) };
  } catch {
    return { code: bytes[0] as number, body: payload };
  }
}
