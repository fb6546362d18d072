import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { chooseDataDirectory } from '../../kernel/config/index.ts';
import { loadIdentity } from '../../kernel/identity/index.ts';
import { lockDataDirectory, prepareDataDirectory, resetData } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { NOTES, openTestStore } from './rig.ts';

const STORE_URL = new URL('../../kernel/store/index.js', import.meta.url).href;

/** Another process that holds the lock of `dir`. */
async function holder(dir: string): Promise<ChildProcess> {
  const script = `
    const { lockDataDirectory } = await import(${JSON.stringify(STORE_URL)});
    globalThis.lock = lockDataDirectory(${JSON.stringify(dir)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

test('a second process is refused and told who holds the directory; a killed one holds nothing', async (t) => {
  const dir = temporaryDirectory(t);
  const child = await holder(dir);
  t.throws(() => lockDataDirectory(dir), {
    code: 'store/locked',
    message: `A node is already running on ${dir} (process ${child.pid})`,
  });
  t.throws(() => resetData(dir), { code: 'store/locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The dead holder's id may belong to somebody else by now: only the lock counts.
  writeFileSync(join(dir, 'node.pid'), `${process.ppid}\n`);
  const lock = lockDataDirectory(dir);
  t.is(readFileSync(join(dir, 'node.pid'), 'utf8'), `${process.pid}\n`);
  lock.release();
});

test('the lock counts within one process too, until it is released', (t) => {
  const dir = temporaryDirectory(t);
  const lock = lockDataDirectory(dir);
  t.throws(() => lockDataDirectory(dir), { code: 'store/locked' });
  lock.release();
  lock.release();
  const again = lockDataDirectory(dir);
  t.throws(() => lockDataDirectory(dir), { code: 'store/locked' });
  again.release();
  t.false(existsSync(join(dir, 'node.pid')));
});

test('the first start makes 256 blob shards, a later one what is missing', (t) => {
  const dir = join(temporaryDirectory(t), 'deep', 'data');
  const { blobs } = prepareDataDirectory(dir);
  const names = readdirSync(blobs).sort();
  t.is(names.length, 256);
  t.is(names[0], '00');
  t.is(names[255], 'ff');
  t.notThrows(() => prepareDataDirectory(dir));
});

test('reset clears database and blobs, and keeps the keys and the config', (t) => {
  const dir = temporaryDirectory(t);
  const { blobs, config } = prepareDataDirectory(dir);
  const { nodeId, deviceId } = loadIdentity(dir);
  writeFileSync(config, '{"node":{"port":7}}');
  const store = openTestStore(dir);
  store.migrate('notes', NOTES, ['expand']);
  store.database('notes').prepare('INSERT INTO notes (body) VALUES (?)').run('gone');
  store.close();
  writeFileSync(join(blobs, 'ab', 'blob'), 'x');
  mkdirSync(join(blobs, 'partial'));

  resetData(dir);
  t.false(existsSync(join(dir, 'itsgoin.db')));
  t.is(readdirSync(blobs).length, 256);
  t.deepEqual(readdirSync(join(blobs, 'ab')), []);
  t.is(readFileSync(config, 'utf8'), '{"node":{"port":7}}');
  t.deepEqual(loadIdentity(dir).self, { nodeId, deviceId });
});

test('the data directory is --data, else $ITSGOIN_DATA, else the platform’s place', (t) => {
  t.is(chooseDataDirectory('/a/b', { ITSGOIN_DATA: '/c' }), '/a/b');
  t.is(chooseDataDirectory(undefined, { ITSGOIN_DATA: '/c' }), '/c');
  t.regex(chooseDataDirectory(undefined, {}), /itsgoin/);
});

test('a file in the place of the directory was an internal error', (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  t.throws(() => prepareDataDirectory(file), { code: 'store/not-a-directory' });
});
