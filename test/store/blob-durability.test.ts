import { existsSync, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { blake3Hasher } from '../../kernel/identity/index.ts';
import { BlobFolder, prepareDataDirectory } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { bytesOf, NEVER, openBlobs, readBlob, writeBlob } from './blob-rig.ts';

// One after the other: they watch what the whole process does with files.

test.serial(
  'a blob and its name are synced before the write resolves, and a delete too; a simulation spares both',
  async (t) => {
    const dir = temporaryDirectory(t);
    const path = prepareDataDirectory(dir).blobs;
    const probe = await open(join(path, 'probe'), 'w');
    const handles: { sync: FileHandle['sync'] } = Object.getPrototypeOf(probe);
    await probe.close();
    const { sync } = handles;
    const synced: ('file' | 'directory')[] = [];
    handles.sync = async function (this: FileHandle) {
      synced.push((await this.stat()).isDirectory() ? 'directory' : 'file');
      await sync.call(this);
    };
    t.teardown(() => {
      handles.sync = sync;
    });
    for (const durable of [true, false]) {
      synced.length = 0;
      const folder = new BlobFolder({ dir: path, random: seededRandom(1), durable, hasher: blake3Hasher });
      const blobs = folder.lend(NEVER);
      const { cid } = await blobs.write([bytesOf(1, 1_000)], { maxBytes: 1_000, signal: NEVER });
      t.deepEqual(synced, durable ? ['file', 'directory'] : []);
      t.true(await blobs.delete(cid));
      t.deepEqual(synced, durable ? ['file', 'directory', 'directory'] : []);
    }
  },
);

test.serial('no file stays open, however writing and reading end', async (t) => {
  if (!existsSync('/proc/self/fd')) {
    t.log('not run: this system does not show which files are open');
    t.pass();
    return;
  }
  const rig = await openBlobs(temporaryDirectory(t));
  const openFiles = (): number => readdirSync('/proc/self/fd').length;
  const round = async (seed: number): Promise<void> => {
    const { cid } = await writeBlob(rig, bytesOf(seed, 600_000));
    await readBlob(rig, cid);
    for await (const _chunk of rig.blobs.read(cid)) break;
    await t.throwsAsync(rig.blobs.write([bytesOf(seed, 10)], { maxBytes: 9, signal: NEVER }));
    await t.throwsAsync(readBlob(rig, cid, { offset: 700_000 }));
    await rig.blobs.delete(cid);
  };
  await round(0);
  const before = openFiles();
  for (let seed = 1; seed <= 10; seed++) await round(seed);
  t.is(openFiles(), before);
});
