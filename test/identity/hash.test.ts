import { blake3 as reference } from '@noble/hashes/blake3.js';
import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { blake3, blake3DeriveKey, blake3Hasher, blake3Hex } from '../../kernel/identity/index.ts';

const random = seededRandom('hash');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('gives the published digest of the empty input', (t) => {
  t.is(blake3Hex(new Uint8Array()), 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
});

test('agrees with the reference around every block, chunk and piece border', (t) => {
  for (const size of [1, 63, 64, 65, 1_023, 1_024, 1_025, 4_096, 262_143, 262_144, 262_145, 700_001]) {
    const bytes = random.bytes(size);
    t.is(blake3Hex(bytes), hex(reference(bytes)), `${size} bytes`);
    t.is(hex(blake3(bytes)), blake3Hex(bytes));
    const hasher = blake3Hasher();
    const cut = random.integer(size);
    hasher.update(bytes.subarray(0, cut));
    hasher.update(bytes.subarray(cut));
    t.is(hasher.digestHex(), blake3Hex(bytes));
  }
});

test('derives keys as the reference does, and fifty thousand of them leave no memory behind', (t) => {
  const material = random.bytes(32);
  const context = 'itsgoin/cek-wrap/v1';
  t.is(hex(blake3DeriveKey(context, material)), hex(reference(material, { context: Buffer.from(context) })));
  for (let i = 0; i < 1_000; i++) blake3DeriveKey(context, material);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 50_000; i++) blake3DeriveKey(context, material);
  // A hasher is about 1.9 KB outside the heap: not freeing them would show as 95 MB.
  t.true(process.memoryUsage().rss - before < 50e6);
});
