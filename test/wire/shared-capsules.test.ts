import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { SHARED_FRAME_MAX_BYTES } from '../../kernel/wire/limits.ts';
import { CAPSULE_KINDS, CapsuleReader, decodeElsewhere } from '../../kernel/wire/shared/capsule.ts';
import { rawFrame } from './pair.ts';
import { encodeCapsule, encodeElsewhere, encodeReset } from './shared-rig.ts';

/** What a reader makes of these chunks. Each is overwritten once it was read, as a transport does. */
function readAll(chunks: readonly Uint8Array[]): string[] {
  const reader = new CapsuleReader();
  const seen: string[] = [];
  for (const bytes of chunks) {
    const chunk = Uint8Array.from(bytes);
    reader.feed(chunk);
    while (reader.next()) seen.push(`${reader.kind} ${reader.id} ${Buffer.from(reader.frame).toString('hex')}`);
    chunk.fill(0x21);
  }
  if (reader.isPartial) seen.push('partial');
  return seen;
}

const CAPSULES = [
  encodeCapsule(CAPSULE_KINDS.request, 1, rawFrame(0xd4, '{"n":1}')),
  encodeCapsule(CAPSULE_KINDS.notice, 0, rawFrame(0x42, '')),
  encodeReset(0xffffffff, 0x10),
  encodeCapsule(CAPSULE_KINDS.answer, 0x01020304, rawFrame(0xd5, 'x'.repeat(SHARED_FRAME_MAX_BYTES))),
  encodeElsewhere(7, 4_294_967_299),
  encodeCapsule(CAPSULE_KINDS.request, 2, rawFrame(0xd4, '{"n":2}')),
];
const WHOLE = Buffer.concat(CAPSULES);
const EXPECTED = readAll([WHOLE]);

test('capsules come out as they went in', (t) => {
  t.is(EXPECTED.length, CAPSULES.length);
  t.is(EXPECTED[0], `1 1 ${Buffer.from(rawFrame(0xd4, '{"n":1}')).toString('hex')}`);
  t.is(EXPECTED[1], '0 0 4200000000');
  t.is(EXPECTED[2], '3 4294967295 1000000000');
  t.true(EXPECTED[3]?.startsWith('2 16909060 d500001000'));
  const reader = new CapsuleReader();
  reader.feed(encodeElsewhere(7, 4_294_967_299));
  t.true(reader.next());
  t.is(decodeElsewhere(reader.frame), 4_294_967_299);
});

test('capsules split and joined at every byte are the same capsules', (t) => {
  for (let at = 1; at < WHOLE.length; at++) {
    const seen = readAll([WHOLE.subarray(0, at), WHOLE.subarray(at)]);
    if (seen.join() !== EXPECTED.join()) t.fail(`cut at ${at}`);
  }
  t.deepEqual(readAll(Array.from(WHOLE, (_, at) => WHOLE.subarray(at, at + 1))), EXPECTED);
  t.deepEqual(readAll(CAPSULES), EXPECTED);
});

test('capsules in chunks of random sizes are the same capsules', (t) => {
  const random = seededRandom('chunks');
  const long = Buffer.concat(Array.from({ length: 20 }, () => WHOLE));
  const expected = readAll([long]);
  for (let round = 0; round < 200; round++) {
    const most = 1 + random.integer(5_000);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < long.length; ) {
      const size = random.integer(most + 1);
      chunks.push(long.subarray(at, at + size));
      at += size;
    }
    t.deepEqual(readAll(chunks), expected);
  }
});

test('the rest of a chunk outlives it once detached, wherever it is cut', (t) => {
  for (let at = 1; at < WHOLE.length; at += 7) {
    const reader = new CapsuleReader();
    const seen: string[] = [];
    for (const part of [WHOLE.subarray(0, at), WHOLE.subarray(at)]) {
      const chunk = Uint8Array.from(part);
      reader.feed(chunk);
      if (reader.next()) seen.push(`${reader.kind} ${reader.id}`);
      reader.detach();
      chunk.fill(0x21);
      while (reader.next()) seen.push(`${reader.kind} ${reader.id}`);
    }
    t.is(seen.join(), EXPECTED.map((capsule) => capsule.split(' ').slice(0, 2).join(' ')).join(), `cut at ${at}`);
  }
});

for (const [what, bytes] of [
  ['of an unknown kind', encodeCapsule(5, 1, rawFrame(0xd4, '{}'))],
  ['longer than 4 KiB', encodeCapsule(CAPSULE_KINDS.request, 1, rawFrame(0xd4, '', SHARED_FRAME_MAX_BYTES + 1))],
  ['of 4 GiB', encodeCapsule(CAPSULE_KINDS.answer, 1, rawFrame(0xd4, '', 0xffffffff))],
  ['that is a reset with a payload', encodeCapsule(CAPSULE_KINDS.reset, 1, rawFrame(0x10, 'x'))],
] as const) {
  test(`a capsule ${what} is malformed from its header on, in one piece or in many`, (t) => {
    const header = bytes.subarray(0, 10);
    t.throws(() => readAll([header]), { code: 'wire/malformed' });
    t.throws(() => readAll(Array.from(header, (byte) => Uint8Array.of(byte))), { code: 'wire/malformed' });
  });
}

test('a stream id that is none is malformed', (t) => {
  t.throws(() => decodeElsewhere(rawFrame(0xf3, '1234567')), { code: 'wire/malformed' });
});
