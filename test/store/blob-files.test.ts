import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { blake3Hex } from '../../kernel/identity/index.ts';
import type { Cid } from '../../kernel/sdk/blob-files.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { type BlobRig, bytesOf, draftsOf, NEVER, openBlobs, readBlob, writeBlob } from './blob-rig.ts';

const MIB = 1024 * 1024;

const fresh = (t: ExecutionContext): Promise<BlobRig> => openBlobs(temporaryDirectory(t));

/** Yields the chunk and never ends. */
async function* hanging(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
  await new Promise(() => {});
}

test('a blob is stored under the hash of its bytes, private, and read back whole and in parts', async (t) => {
  const rig = await fresh(t);
  for (const length of [0, 1, 1_000, 256 * 1024, 3 * MIB + 17]) {
    const content = bytesOf(length, length);
    const half = length >> 1;
    const stored = await writeBlob(rig, content.subarray(0, half), Buffer.alloc(0), content.subarray(half));
    t.deepEqual(stored, { cid: blake3Hex(content) as Cid, bytes: length });
    const path = join(rig.dir, stored.cid.slice(0, 2), stored.cid);
    t.true(readFileSync(path).equals(content));
    t.is(statSync(path).mode & 0o777, 0o600);
    t.is(await rig.blobs.size(stored.cid), length);
    t.true((await readBlob(rig, stored.cid)).equals(content));
    t.true((await readBlob(rig, stored.cid, { offset: half })).equals(content.subarray(half)));
    t.true((await readBlob(rig, stored.cid, { offset: half, length: length - half })).equals(content.subarray(half)));
    t.is((await readBlob(rig, stored.cid, { offset: length })).length, 0);
  }
  t.deepEqual(draftsOf(rig), []);
});

test('chunks that are read belong to the reader', async (t) => {
  const rig = await fresh(t);
  const { cid } = await writeBlob(rig, bytesOf(1, MIB));
  const buffers = new Set<ArrayBufferLike>();
  for await (const chunk of rig.blobs.read(cid)) {
    t.true(chunk.length <= 256 * 1024);
    buffers.add(chunk.buffer);
  }
  t.is(buffers.size, 4);
});

test('a source of nothing but empty chunks kept the event loop to itself', async (t) => {
  const rig = await fresh(t);
  let taken = 0;
  function* nothing(empty: number) {
    for (taken = 0; taken < empty; taken++) yield new Uint8Array(0);
    yield bytesOf(1, 10);
  }
  const options = { maxBytes: MIB, signal: NEVER };
  t.is((await rig.blobs.write(nothing(900), options)).bytes, 10);
  await t.throwsAsync(rig.blobs.write(nothing(100_000), options), { code: 'kit/empty-chunks' });
  t.true(taken < 2_000, `${taken} chunks`);
  t.deepEqual(draftsOf(rig), []);
});

test('bytes that are not those expected, or too many, leave nothing behind', async (t) => {
  const rig = await fresh(t);
  const content = bytesOf(2, 10_000);
  const expectedCid = blake3Hex(content) as Cid;
  const options = { maxBytes: 10_000, expectedCid, signal: NEVER };
  const wrong = Buffer.concat([content.subarray(1), Buffer.of(0)]);
  await t.throwsAsync(rig.blobs.write([wrong], options), { code: 'store/wrong-cid' });
  await t.throwsAsync(rig.blobs.write([content, Buffer.of(0)], options), { code: 'store/blob-too-large' });
  await t.throwsAsync(rig.blobs.write([content], { ...options, maxBytes: Number.NaN }), {
    code: 'store/blob-too-large',
  });
  t.is(await rig.blobs.size(expectedCid), undefined);
  t.deepEqual(await rig.blobs.usage(), { blobs: 0, bytes: 0 });
  t.deepEqual(draftsOf(rig), []);
  await rig.blobs.write([content], options);
  t.is(await rig.blobs.size(expectedCid), 10_000);
});

test('a source that fails or falls silent leaves nothing behind, and its error is passed on', async (t) => {
  const rig = await fresh(t);
  let returned = false;
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(100);
    throw new Error('the peer is gone');
  }
  function* endless(): Generator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(1_000);
    } finally {
      returned = true;
    }
  }
  await t.throwsAsync(rig.blobs.write(failing(), { maxBytes: MIB, signal: NEVER }), { message: 'the peer is gone' });
  await t.throwsAsync(rig.blobs.write(endless(), { maxBytes: MIB, signal: NEVER }), { code: 'store/blob-too-large' });
  t.true(returned, 'a source cut short is told so');
  const caller = new AbortController();
  const writing = rig.blobs.write(hanging(Buffer.alloc(100)), { maxBytes: MIB, signal: caller.signal });
  caller.abort(new Error('called off'));
  await t.throwsAsync(writing, { message: 'called off' });
  t.deepEqual(draftsOf(rig), []);
});

test('names are checked before they become paths', async (t) => {
  const rig = await fresh(t);
  writeFileSync(join(rig.dir, '..', 'identity.key'), 'secret');
  const good = 'ab'.repeat(32);
  for (const name of [
    '',
    '../identity.key',
    `../${good}`,
    good.toUpperCase(),
    `${good}0`,
    `${good}\n`,
    'ab/cd',
    7,
    {},
  ]) {
    const cid = name as Cid;
    const bad = { code: 'store/bad-cid' };
    t.throws(() => rig.blobs.read(cid), bad);
    t.throws(() => rig.blobs.size(cid), bad);
    await t.throwsAsync(async () => rig.blobs.delete(cid), bad);
    await t.throwsAsync(rig.blobs.write([], { maxBytes: 1, expectedCid: cid, signal: NEVER }), bad);
  }
  t.is(readFileSync(join(rig.dir, '..', 'identity.key'), 'utf8'), 'secret');
});

test('what is absent, out of range or cut short on disk is named', async (t) => {
  const rig = await fresh(t);
  const { cid } = await writeBlob(rig, bytesOf(3, 600 * 1024));
  await t.throwsAsync(readBlob(rig, 'ab'.repeat(32) as Cid), { code: 'store/no-blob' });
  for (const range of [
    { offset: -1 },
    { offset: 700_000 },
    { offset: 1, length: 600 * 1024 },
    { length: -1 },
    { offset: 0.5 },
  ])
    await t.throwsAsync(readBlob(rig, cid, range), { code: 'store/blob-range' });
  const chunks = rig.blobs.read(cid)[Symbol.asyncIterator]();
  await chunks.next();
  truncateSync(join(rig.dir, cid.slice(0, 2), cid), 300 * 1024);
  await chunks.next();
  await t.throwsAsync(chunks.next(), { code: 'store/blob-damaged' });
});

test('deleting says whether it was there, and who reads it reads on', async (t) => {
  const rig = await fresh(t);
  const content = bytesOf(4, MIB);
  const { cid } = await writeBlob(rig, content);
  const chunks = rig.blobs.read(cid)[Symbol.asyncIterator]();
  const first = (await chunks.next()).value as Uint8Array;
  t.true(await rig.blobs.delete(cid));
  t.false(await rig.blobs.delete(cid));
  t.is(await rig.blobs.size(cid), undefined);
  const rest: Uint8Array[] = [];
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) rest.push(next.value);
  t.true(Buffer.concat([first, ...rest]).equals(content));
});

test('many writers of one blob, and of others, at the same time', async (t) => {
  const rig = await fresh(t);
  const contents = Array.from({ length: 10 }, (_, index) => bytesOf(index, 100_000 + index));
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, index) => writeBlob(rig, contents[index % 10] as Buffer)),
  );
  t.is(new Set(all.map(({ cid }) => cid)).size, 10);
  for (const content of contents) t.true((await readBlob(rig, blake3Hex(content) as Cid)).equals(content));
  const listed: Cid[] = [];
  for await (const { cid } of rig.blobs.list()) listed.push(cid);
  t.deepEqual(
    listed.map((cid) => cid.slice(0, 2)),
    listed.map((cid) => cid.slice(0, 2)).sort(),
  );
  t.deepEqual([...listed].sort(), [...new Set(all.map(({ cid }) => cid))].sort());
  t.deepEqual(await rig.blobs.usage(), { blobs: 10, bytes: 1_000_045 });
  t.deepEqual(draftsOf(rig), []);
});

test('foreign files among the blobs are not taken for blobs', async (t) => {
  const rig = await fresh(t);
  writeFileSync(join(rig.dir, '00', 'notes.txt'), 'mine');
  mkdirSync(join(rig.dir, '00', 'folder'));
  t.deepEqual(await rig.blobs.usage(), { blobs: 0, bytes: 0 });
});

test('the 129th open file is refused, and places come back however a reader ends', async (t) => {
  const rig = await fresh(t);
  const { cid } = await writeBlob(rig, bytesOf(5, MIB));
  const begin = async () => {
    const chunks = rig.blobs.read(cid)[Symbol.asyncIterator]();
    await chunks.next();
    return chunks;
  };
  const readers = await Promise.all(Array.from({ length: 128 }, begin));
  await t.throwsAsync(begin(), { code: 'store/blobs-busy' });
  await t.throwsAsync(writeBlob(rig, Buffer.of(1)), { code: 'store/blobs-busy' });
  await readers[0]?.return?.();
  t.true((await readBlob(rig, cid)).length === MIB);
  rig.generation.abort(new Error('the generation is over'));
  await t.throwsAsync(async () => readers[1]?.next(), { message: 'the generation is over' });
  await rig.folder.close();
  const next = rig.folder.lend(NEVER);
  const again = await Promise.all(
    Array.from({ length: 128 }, async () => {
      const chunks = next.read(cid)[Symbol.asyncIterator]();
      await chunks.next();
      return chunks;
    }),
  );
  for (const chunks of again) await chunks.return?.();
});

test('writes under way end with their generation, and closing waits for them', async (t) => {
  const rig = await fresh(t);
  const writing = rig.blobs.write(hanging(Buffer.alloc(100)), { maxBytes: MIB, signal: NEVER });
  const refused = t.throwsAsync(writing, { message: 'the generation is over' });
  rig.generation.abort(new Error('the generation is over'));
  await rig.folder.close();
  t.deepEqual(draftsOf(rig), []);
  await refused;
  await t.throwsAsync(writeBlob(rig, Buffer.of(1)), { message: 'the generation is over' });
});

test('what an earlier process did not finish is removed at start, and nothing else', async (t) => {
  const dir = temporaryDirectory(t);
  const rig = await openBlobs(dir);
  const { cid } = await writeBlob(rig, Buffer.from('kept'));
  writeFileSync(join(rig.dir, 'incoming', 'torn'), 'half a bl');
  const again = await openBlobs(dir);
  t.deepEqual(draftsOf(again), []);
  t.is(String(await readBlob(again, cid)), 'kept');
});

test('a folder that may not be written is named', async (t) => {
  if (process.getuid?.() === 0) {
    t.log('root may write anywhere: full-disk.test.ts has a read-only file system');
    t.pass();
    return;
  }
  const rig = await fresh(t);
  chmodSync(join(rig.dir, 'incoming'), 0o500);
  await t.throwsAsync(writeBlob(rig, Buffer.of(1)), { code: 'store/read-only' });
});
