import test from 'ava';
import fc from 'fast-check';
import { FrameReader } from '../../kernel/wire/frame.ts';
import { rawFrame } from './pair.ts';

/** Reads chunks as the wire does; the payload and how many bytes lie behind it. */
function read(chunks: readonly Uint8Array[]): { text: string; behind: number } | undefined {
  const reader = new FrameReader();
  for (const [at, chunk] of chunks.entries()) {
    const offset = reader.code === -1 ? reader.header(chunk) : 0;
    if (offset === -1) continue;
    const before = reader.buffered;
    const payload = reader.body(chunk, offset);
    if (payload === undefined) continue;
    const behind = chunks.slice(at + 1).reduce((sum, { length }) => sum + length, 0);
    return {
      text: Buffer.from(payload).toString('latin1'),
      behind: chunk.length - offset - (reader.length - before) + behind,
    };
  }
  return undefined;
}

test('a frame ends where it says, whatever comes behind it and however all of it is cut', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii', maxLength: 20_000, size: 'max' }),
      fc.nat({ max: 300 }),
      fc.array(fc.integer({ min: 1, max: 6_000 }), { maxLength: 20 }),
      (text, behind, cuts) => {
        const bytes = Buffer.concat([rawFrame(0x42, text), Buffer.alloc(behind, '!')]);
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const cut of cuts) {
          if (from >= bytes.length) break;
          chunks.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        if (from < bytes.length) chunks.push(bytes.subarray(from));
        t.deepEqual(read(chunks), { text, behind });
      },
    ),
  );
});

test('a payload that comes in pieces has a buffer of its own, which is let go', (t) => {
  const reader = new FrameReader();
  const frame = rawFrame(0x42, 'abcdef');
  const first = frame.subarray(0, 8);
  t.is(reader.body(first, reader.header(first)), undefined);
  t.is(reader.buffered, 3);
  const payload = reader.body(frame.subarray(8), 0);
  t.is(Buffer.from(payload ?? []).toString(), 'abcdef');
  t.is(reader.buffered, 6);
  reader.free();
  t.is(reader.buffered, 0);
});

test('the length of a frame is four bytes, the highest first', (t) => {
  const reader = new FrameReader();
  t.is(reader.header(Uint8Array.of(0x42, 0x81, 0x02, 0x03, 0x04)), 5);
  t.is(reader.length, 0x81020304);
  t.is(reader.code, 0x42);
});

test('a hundred frames that say they are 16 MiB and bring ten bytes take no more room than that deserves', (t) => {
  const header = Uint8Array.of(0x42, 0x01, 0, 0, 0);
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 100 }, () => {
    const reader = new FrameReader();
    reader.header(header);
    reader.body(new Uint8Array(10), 0);
    return reader;
  });
  t.true(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
  t.is(readers.length, 100);
});
