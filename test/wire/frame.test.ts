import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { CATALOGUE, RESERVED_CODES, catalogueEntry } from '../../kernel/wire/index.ts';
import { FrameReader, encodeFrame } from '../../kernel/wire/frame.ts';
import { FRAME_MAX_BYTES, JSON_DEPTH_MAX } from '../../kernel/wire/limits.ts';
import { decodePayload } from '../../kernel/wire/payload.ts';

interface Vector {
  readonly code: number;
  readonly name: string;
  readonly stream: string;
  readonly body: unknown;
  readonly hex: string;
}

const vectors = JSON.parse(readFileSync('test/vectors/frames.json', 'utf8')) as Vector[];

function readAll(bytes: Uint8Array, chunkBytes = bytes.length): { code: number; payload: Uint8Array } | undefined {
  const reader = new FrameReader();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.slice(at, at + chunkBytes);
    const offset = reader.code === -1 ? reader.header(chunk) : 0;
    if (offset === -1) continue;
    const payload = reader.body(chunk, offset);
    if (payload !== undefined) return { code: reader.code, payload };
    chunk.fill(0);
  }
  return undefined;
}

test('every live code has a golden frame, and no other has', (t) => {
  t.is(CATALOGUE.length, 50);
  t.deepEqual(
    vectors.map(({ code, name, stream }) => [code, name, stream]),
    [
      ...CATALOGUE.map(({ code, name, stream }) => [code, name, stream]),
      [0xf0, 'Extension', 'bi'],
      [0xf1, 'Refused', 'bi'],
    ],
  );
});

for (const { code, name, body, hex } of vectors) {
  test(`golden frame of ${name}`, (t) => {
    t.is(Buffer.from(encodeFrame(code, body, FRAME_MAX_BYTES)).toString('hex'), hex);
    for (const chunkBytes of [1, 3, 7, hex.length / 2]) {
      const read = readAll(Buffer.from(hex, 'hex'), chunkBytes);
      t.is(read?.code, code);
      t.deepEqual(decodePayload(read?.payload ?? new Uint8Array()), body);
    }
  });
}

test('reserved codes are not in the catalogue', (t) => {
  for (const code of RESERVED_CODES) t.is(catalogueEntry(code), undefined);
});

test('each request names an answer on a bi-stream', (t) => {
  for (const { answeredBy, stream } of CATALOGUE) {
    if (answeredBy === undefined) continue;
    t.is(stream, 'bi');
    t.is(catalogueEntry(answeredBy)?.stream, 'bi');
  }
});

test('what is encoded is read back, however it is cut', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.jsonValue(),
      fc.integer({ min: 1, max: 64 }),
      (code, body, chunkBytes) => {
        const read = readAll(encodeFrame(code, body, FRAME_MAX_BYTES), chunkBytes);
        t.is(read?.code, code);
        t.deepEqual(decodePayload(read?.payload ?? new Uint8Array()), JSON.parse(JSON.stringify(body)));
      },
    ),
  );
});

test('a frame in one chunk is not copied', (t) => {
  const frame = encodeFrame(0x42, { n: 1 }, 100);
  const reader = new FrameReader();
  const payload = reader.body(frame, reader.header(frame));
  t.is(payload?.buffer, frame.buffer);
  t.is(reader.buffered, 0);
});

test('16 MiB pass and one byte more does not', (t) => {
  const pad = 'x'.repeat(FRAME_MAX_BYTES - 2);
  t.is(encodeFrame(0x42, pad, FRAME_MAX_BYTES).length, FRAME_MAX_BYTES + 5);
  t.throws(() => encodeFrame(0x42, `${pad}x`, FRAME_MAX_BYTES), { code: 'wire/too-large' });
});

test('a declared length allocates nothing before its bytes arrive', (t) => {
  const reader = new FrameReader();
  const header = Uint8Array.of(0x42, 0x01, 0, 0, 0);
  reader.header(header);
  t.is(reader.length, FRAME_MAX_BYTES);
  reader.body(new Uint8Array(10), 0);
  t.is(reader.buffered, 10);
});

test('payloads are strict: UTF-8, one JSON value, bounded depth', (t) => {
  const reason = (bytes: Uint8Array) => t.throws(() => decodePayload(bytes), { code: 'wire/malformed' })?.message;
  t.regex(reason(Uint8Array.of(0x22, 0xff, 0x22)) ?? '', /utf8/);
  t.regex(reason(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)) ?? '', /utf8/, 'a surrogate is no UTF-8');
  const long = Buffer.from(`"${'x'.repeat(5_000)}"`);
  long[4_000] = 0xff;
  t.regex(reason(long) ?? '', /utf8/, 'long payloads are checked as well');
  t.deepEqual(decodePayload(Buffer.from(JSON.stringify('é✓'.repeat(3_000)))), 'é✓'.repeat(3_000));
  t.regex(reason(Buffer.from('\ufeff{}')) ?? '', /json/, 'a byte order mark is no JSON');
  t.regex(reason(Buffer.from('')) ?? '', /json/);
  t.regex(reason(Buffer.from('{} {}')) ?? '', /json/);
  t.regex(reason(Buffer.from('['.repeat(100_000))) ?? '', /depth/);
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  t.notThrows(() => decodePayload(nested(JSON_DEPTH_MAX)));
  t.regex(reason(nested(JSON_DEPTH_MAX + 1)) ?? '', /depth/);
});

test('brackets inside strings are no depth', (t) => {
  const text = JSON.stringify({ s: `${'['.repeat(200)}\\"${'{'.repeat(200)}"` });
  t.deepEqual(decodePayload(Buffer.from(text)), JSON.parse(text));
});
