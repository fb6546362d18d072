import {
  CAPSULE_KINDS,
  CapsuleReader,
  SHARED_STREAM_CODE,
  elsewhereFrame,
  resetFrame,
} from '../../kernel/wire/shared/capsule.ts';
import type { IncomingStream, Stream } from '../../kernel/transport/transport.ts';
import { rawFrame } from './pair.ts';
import type { FakeConnection, FakeStream } from './pair.ts';

export interface SeenCapsule {
  readonly kind: number;
  readonly id: number;
  readonly code: number;
  /** JSON of the payload, where there is any. */
  readonly body: unknown;
}

/** The bytes with which a shared stream begins. */
export const HELLO = Uint8Array.of(SHARED_STREAM_CODE);

export function encodeCapsule(kind: number, id: number, frame: Uint8Array): Uint8Array {
  const header = Buffer.alloc(5);
  header[0] = kind;
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, frame]);
}

export function encodeReset(id: number, code: number): Uint8Array {
  return encodeCapsule(CAPSULE_KINDS.reset, id, resetFrame(code));
}

export function encodeElsewhere(id: number, streamId: number): Uint8Array {
  return encodeCapsule(CAPSULE_KINDS.elsewhere, id, elsewhereFrame(streamId));
}

export function requestCapsule(id: number, n: number): Uint8Array {
  return encodeCapsule(CAPSULE_KINDS.request, id, rawFrame(0xd4, `{"n":${n}}`));
}

export function noticeCapsule(n: number): Uint8Array {
  return encodeCapsule(CAPSULE_KINDS.notice, 0, rawFrame(0x42, `{"n":${n}}`));
}

/** Collects the capsules that come on a stream. */
export function capsulesOf(stream: Stream): { readonly seen: SeenCapsule[]; reset: number | undefined } {
  const reader = new CapsuleReader();
  const state: { seen: SeenCapsule[]; reset: number | undefined } = { seen: [], reset: undefined };
  stream.onAbort = ({ code }) => {
    state.reset = code;
  };
  stream.onData = (chunk) => {
    reader.feed(chunk);
    while (reader.next()) state.seen.push(seenCapsule(reader));
  };
  return state;
}

function seenCapsule({ kind, id, frame }: CapsuleReader): SeenCapsule {
  const payload = Buffer.from(frame.subarray(5)).toString('utf8');
  const body: unknown = payload.startsWith('{') ? JSON.parse(payload) : undefined;
  return { kind, id, code: frame[0] as number, body };
}

/** A shared stream that this end opens and writes by hand. */
export function openShared(near: FakeConnection): FakeStream {
  const stream = near.openBi();
  stream.write(HELLO, false);
  return stream;
}

/** In place of a dispatcher at `far`: gets each shared stream's capsules and answers them by hand. */
export function answerByHand(
  far: FakeConnection,
  answer: (stream: IncomingStream, capsule: SeenCapsule) => void,
): void {
  far.onStream = (stream) => {
    const reader = new CapsuleReader();
    let started = false;
    stream.onData = (chunk) => {
      reader.feed(started ? chunk : chunk.subarray(1));
      started = true;
      while (reader.next()) answer(stream, seenCapsule(reader));
    };
  };
}
