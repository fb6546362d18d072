import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { loadIdentity } from '../../kernel/identity/index.ts';
import { openConfig } from '../../kernel/config/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { bytesOf, draftsOf, openBlobs, readBlob, writeBlob } from './blob-rig.ts';
import { NOTES, openTestStore } from './rig.ts';

const MIB = 1024 * 1024;

/** A file system of its own, so large; `undefined` where we may not mount one. */
function smallDisk(dir: string, bytes: number): (() => void) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir], { stdio: 'ignore' });
    return () => execFileSync('umount', ['--lazy', dir]);
  } catch {
    return undefined;
  }
}

test('a disk that really is full: nothing stored is lost, and files are never half written', (t) => {
  const dir = join(temporaryDirectory(t), 'disk');
  mkdirSync(dir);
  const unmount = smallDisk(dir, 2 * MIB);
  if (unmount === undefined) {
    t.log('not run on a real file system: mounting one takes root; max_page_count stands in for it elsewhere');
    t.pass();
    return;
  }
  try {
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(512 * 1024));
    const config = openConfig(join(dir, 'config.json'));
    config.setNode('port', 4433);
    const store = openTestStore(dir);
    store.migrate('notes', NOTES, ['expand']);
    const insert = store.database('notes').prepare('INSERT INTO notes (body) VALUES (?)');
    let stored = 0;
    const error = t.throws(() => {
      for (;;) {
        insert.run(String(stored).padStart(10_000));
        stored++;
      }
    });
    t.is((error as unknown as { code: string }).code, 'store/disk-full');
    t.true(stored > 20);
    t.throws(() => writeFileSync(join(dir, 'rest'), Buffer.alloc(2 * 1024 * 1024)), { code: 'ENOSPC' });

    t.throws(() => config.setNode('port', 5), { code: 'store/disk-full' });
    t.is(config.node.port, 4433);
    t.is(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')).node.port, 4433);
    const keyError = t.throws(() => loadIdentity(dir));
    t.is((keyError as unknown as { code: string }).code, 'store/disk-full');
    t.throws(() => readFileSync(join(dir, 'identity.key')), { code: 'ENOENT' });
    t.deepEqual(
      readdirSync(dir).filter((name) => name.endsWith('.new')),
      [],
    );
    store.close();

    const again = openTestStore(dir);
    const count = again.database('notes').prepare<{ n: number }>('SELECT count(*) AS n FROM notes');
    t.is(count.get()?.n, stored);
    t.deepEqual(again.integrityCheck(), []);
    rmSync(join(dir, 'ballast'));
    again.database('notes').prepare('INSERT INTO notes (body) VALUES (?)').run('small');
    t.is(count.get()?.n, stored + 1);
    again.close();
  } finally {
    unmount();
  }
});

test('a full disk costs no blob and gives back what was written; a read-only one is named', async (t) => {
  const dir = temporaryDirectory(t);
  const unmount = smallDisk(dir, 4 * MIB);
  if (unmount === undefined) {
    t.log('not run on a real file system: mounting one takes root');
    t.pass();
    return;
  }
  try {
    const rig = await openBlobs(dir);
    const content = bytesOf(6, 2 * MIB);
    const { cid } = await writeBlob(rig, content);
    await t.throwsAsync(writeBlob(rig, bytesOf(7, 3 * MIB)), { code: 'store/disk-full' });
    t.deepEqual(draftsOf(rig), []);
    t.true((await readBlob(rig, cid)).equals(content));
    await writeBlob(rig, bytesOf(8, MIB));
    execFileSync('mount', ['-o', 'remount,ro', dir], { stdio: 'ignore' });
    await t.throwsAsync(writeBlob(rig, Buffer.of(1)), { code: 'store/read-only' });
    await t.throwsAsync(rig.blobs.delete(cid), { code: 'store/read-only' });
    t.true((await readBlob(rig, cid)).equals(content));
  } finally {
    unmount();
  }
});
