import { existsSync, statSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import test from 'ava';
import { GroupCommit } from '../../kernel/store/index.ts';
import { clock, openNotes } from './rig.ts';

const MB = 1_000_000;
const body = (i: number): string => String(i).padEnd(4_000, 'x');

test('SQLite is one whose WAL reset does not corrupt, and which says how long the WAL is', (t) => {
  const db = new Sqlite(':memory:');
  t.teardown(() => db.close());
  const { v } = db.prepare('SELECT sqlite_version() AS v').get() as { v: string };
  const [major = 0, minor = 0, patch = 0] = v.split('.').map(Number);
  t.true(major * 1e6 + minor * 1e3 + patch >= 3_051_003, v);
});

// One after the other: the last counts the threads of the whole process.

test.serial('bulk writes: the WAL stays below 40 MB though 120 MB go through it, and all of it arrives', async (t) => {
  const { database, store, path } = openNotes(t);
  const group = new GroupCommit(database, clock, { maxJobs: 4 });
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  let longest = 0;
  let held = 0;
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < 300) {
      const at = next++;
      if (database.congestion !== undefined) held += 1;
      await group.run(() => {
        for (let i = 0; i < 50; i++) insert.run(body(at * 50 + i));
      });
      longest = Math.max(longest, statSync(`${path}-wal`).size);
    }
  };
  await Promise.all(Array.from({ length: 12 }, write));
  t.true(longest < 40 * MB, `${longest} bytes`);
  t.true(held > 0);
  t.is(database.prepare<{ n: number }>('SELECT count(*) AS n FROM notes').get()?.n, 15_000);
  await store.close();
  t.false(existsSync(`${path}-wal`));
});

test.serial('code that never lets the loop turn does not grow the WAL without bound either', (t) => {
  const { database, path } = openNotes(t);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  for (let at = 0; at < 300; at++) {
    database.transaction(() => {
      for (let i = 0; i < 50; i++) insert.run(body(at * 50 + i));
    });
  }
  t.true(statSync(`${path}-wal`).size < 80 * MB);
});

test.serial(
  'what single statements wrote is checkpointed too, and a node that writes little has no thread for it',
  async (t) => {
    let threads = 0;
    const started = (): void => void threads++;
    process.on('worker', started);
    t.teardown(() => process.off('worker', started));
    const { database, path } = openNotes(t);
    const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
    await database.synced();
    for (let i = 0; i < 200; i++) insert.run(body(i));
    t.is(threads, 0);
    const size = statSync(path).size;
    for (let i = 200; i < 1_000; i++) insert.run(body(i));
    while (statSync(path).size < size + 2 * MB) await turn();
    t.is(threads, 1);
  },
);
