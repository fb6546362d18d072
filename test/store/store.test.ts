import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import test from 'ava';
import type { Migration } from '../../kernel/sdk/database.ts';
import { KERNEL_SCHEMA } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { clock, log, NOTES, openNotes, openTestStore } from './rig.ts';

test('opens with WAL, no sync and no checkpoint on the loop, foreign keys, private, and leaves no WAL behind', async (t) => {
  const dir = temporaryDirectory(t);
  const path = join(dir, 'itsgoin.db');
  const store = openTestStore(dir);
  store.migrate('notes', NOTES, ['expand']);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.true(existsSync(`${path}-wal`));
  const db = store.database('notes');
  t.deepEqual(db.prepare('SELECT * FROM pragma_foreign_keys').get(), { foreign_keys: 1 });
  t.deepEqual(db.prepare('SELECT * FROM pragma_synchronous').get(), { synchronous: 1 });
  db.prepare('INSERT INTO notes (body) VALUES (?)').run('a');
  await db.synced();
  await store.close();
  await store.close();
  t.false(existsSync(`${path}-wal`));
  t.throws(() => db.prepare('SELECT 1').get(), { code: 'store/closed' });
  await t.throwsAsync(db.synced(), { code: 'store/closed' });
  const { database } = openNotes(t, { dir });
  t.deepEqual(database.prepare('SELECT body FROM notes').all(), [{ body: 'a' }]);
});

test('statements take positional and named values and bytes', (t) => {
  const { database } = openNotes(t);
  const bytes = new Uint8Array([1, 2, 255]);
  const { changes, lastInsertRowid } = database
    .prepare('INSERT INTO notes (body, extra) VALUES ($body, $extra)')
    .run({ body: 'x', extra: bytes });
  t.deepEqual([changes, lastInsertRowid], [1, 1]);
  const row = database.prepare<{ extra: Uint8Array }>('SELECT extra FROM notes WHERE body = ?').get('x');
  t.deepEqual([...(row?.extra ?? [])], [1, 2, 255]);
  t.is(database.prepare('SELECT 1 FROM notes WHERE body = ?').get('none'), undefined);
  t.is(database.prepare('SELECT 1'), database.prepare('SELECT 1'));
});

test('a plugin cannot end a transaction or turn the connection’s screws', (t) => {
  const { database } = openNotes(t);
  for (const sql of ['COMMIT', ' begin immediate', 'PRAGMA synchronous = OFF', 'ATTACH ? AS other', 'vacuum']) {
    t.throws(() => database.prepare(sql), { code: 'store/forbidden-statement' });
  }
});

test('a nested transaction that fails takes back its own writes only', (t) => {
  const { database } = openNotes(t);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  database.transaction(() => {
    insert.run('outer');
    t.throws(
      () =>
        database.transaction(() => {
          insert.run('inner');
          database.transaction(() => insert.run('innermost'));
          throw new Error('changed my mind');
        }),
      { message: 'changed my mind' },
    );
    database.transaction(() => insert.run('second'));
  });
  t.deepEqual(bodies(database), ['outer', 'second']);
  t.throws(() =>
    database.transaction(() => {
      insert.run('never');
      throw new Error('all of it');
    }),
  );
  t.deepEqual(bodies(database), ['outer', 'second']);
});

test('asynchronous work is refused and undone', (t) => {
  const { database } = openNotes(t);
  const work = async (): Promise<void> => {
    database.prepare('INSERT INTO notes (body) VALUES (?)').run('a');
    throw new Error('later');
  };
  t.throws(() => database.transaction(work), { code: 'store/async-transaction' });
  t.deepEqual(bodies(database), []);
});

test('migrations run once, in order, and are recorded', (t) => {
  const dir = temporaryDirectory(t);
  const store = openTestStore(dir);
  t.deepEqual(store.migrate('notes', NOTES, ['expand']), ['0001-notes']);
  t.deepEqual(store.migrate('notes', NOTES, ['expand']), []);
  const more: Migration[] = [
    ...NOTES,
    { id: '0002-drop', kind: 'contract', sql: 'ALTER TABLE notes DROP COLUMN extra' },
    { id: '0003-tags', kind: 'expand', sql: 'CREATE TABLE tags (name TEXT) STRICT' },
  ];
  t.deepEqual(store.migrate('notes', more, ['expand']), ['0003-tags']);
  t.deepEqual(store.migrate('notes', more, ['expand', 'contract']), ['0002-drop']);
  t.deepEqual(
    store.tableSizes('notes').map(({ name }) => name),
    ['notes', 'tags'],
  );
  t.true(store.tableSizes('notes').every(({ bytes }) => bytes >= 4_096));
  t.deepEqual(store.tableSizes('somebody else'), []);
  store.close();
  const raw = new Sqlite(join(dir, 'itsgoin.db'));
  t.is(raw.pragma('user_version', { simple: true }), KERNEL_SCHEMA);
  raw.close();
});

test('a failing step changes nothing, the steps before it included', (t) => {
  const { store, database } = openNotes(t);
  const steps: Migration[] = [
    ...NOTES,
    { id: '0002-good', kind: 'expand', sql: 'CREATE TABLE good (a)' },
    { id: '0003-bad', kind: 'expand', sql: 'CREATE TABLE half (a); CREATE TABEL typo (a)' },
  ];
  t.throws(() => store.migrate('notes', steps, ['expand']), {
    code: 'store/migration-failed',
    message: /0003-bad of notes.*TABEL/,
  });
  t.is(database.prepare("SELECT 1 FROM sqlite_schema WHERE name IN ('good', 'half')").get(), undefined);
  t.deepEqual(store.migrate('notes', steps.slice(0, 2), ['expand']), ['0002-good']);
});

test('a step that commits is refused', (t) => {
  const { store } = openNotes(t);
  const steps: Migration[] = [...NOTES, { id: '0002-x', kind: 'expand', sql: 'CREATE TABLE x (a); COMMIT' }];
  t.throws(() => store.migrate('notes', steps, ['expand']), { code: 'store/migration-failed' });
});

test('ids must rise and have their form', (t) => {
  const { store } = openNotes(t);
  for (const ids of [['1-a'], ['0001-a', '0001-a'], ['0002-b', '0001-a'], ['0001-A']]) {
    const steps = ids.map((id) => ({ id, kind: 'expand' as const, sql: 'SELECT 1' }));
    t.throws(() => store.migrate('other', steps, ['expand']), { code: 'store/bad-migration' });
  }
});

test('a schema newer than the code is refused and not touched', (t) => {
  const dir = temporaryDirectory(t);
  const store = openTestStore(dir);
  const newer: Migration[] = [...NOTES, { id: '0002-later', kind: 'expand', sql: 'CREATE TABLE later (a)' }];
  store.migrate('notes', newer, ['expand']);
  store.migrate('absent', [{ id: '0001-a', kind: 'expand', sql: 'CREATE TABLE absent (a)' }], ['expand']);
  t.throws(() => store.migrate('notes', NOTES, ['expand', 'contract']), {
    code: 'store/newer-schema',
    message: /notes knows nothing of 0002-later/,
  });
  // A plugin that is off or gone is never asked: its steps trouble nobody.
  t.notThrows(() => store.migrate('notes', newer, ['expand']));
  // Steps of code that was rolled back only added: the older code goes on.
  store.takeBack('notes', ['0002-later']);
  t.deepEqual(store.migrate('notes', NOTES, ['expand', 'contract']), []);
  t.deepEqual(store.migrate('notes', newer, ['expand']), []);
  store.close();
});

test('a file of a newer kernel is refused and not touched', (t) => {
  const dir = temporaryDirectory(t);
  openTestStore(dir).close();
  const path = join(dir, 'itsgoin.db');
  const raw = new Sqlite(path);
  raw.pragma(`user_version = ${KERNEL_SCHEMA + 1}`);
  raw.close();
  const before = readFileSync(path);
  t.throws(() => openTestStore(dir), { code: 'store/newer-schema' });
  t.deepEqual(readFileSync(path), before);
});

test('a full disk says so, loses nothing stored, and the node goes on when there is room', (t) => {
  const { database, limitPages, store } = openNotes(t);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  insert.run('kept');
  limitPages(10);
  const body = 'x'.repeat(40_000);
  t.throws(() => insert.run(body), { code: 'store/disk-full', message: /nothing of this change was stored/ });
  t.throws(
    () =>
      database.transaction(() => {
        insert.run('small');
        insert.run(body);
      }),
    { code: 'store/disk-full' },
  );
  t.deepEqual(bodies(database), ['kept']);
  limitPages(100_000);
  insert.run(body);
  t.deepEqual(bodies(database), ['kept', body]);
  t.deepEqual(store.integrityCheck(), []);
});

test('work that swallows a full disk cannot commit the rest of its transaction piecemeal', (t) => {
  const { database, limitPages } = openNotes(t);
  const insert = database.prepare('INSERT INTO notes (body) VALUES (?)');
  limitPages(10);
  t.throws(() =>
    database.transaction(() => {
      insert.run('first');
      try {
        insert.run('x'.repeat(40_000));
      } catch {
        // A caller that does not look.
      }
      insert.run('last');
      database.transaction(() => insert.run('nested'));
      throw new Error('undo');
    }),
  );
  t.deepEqual(bodies(database), []);
});

test('a damaged file or one that is no database is named, and left alone', (t) => {
  const dir = temporaryDirectory(t);
  const path = join(dir, 'itsgoin.db');
  writeFileSync(path, 'this is my diary\n'.repeat(500));
  t.throws(() => openTestStore(dir), { code: 'store/corrupt' });
  t.is(readFileSync(path, 'utf8').slice(0, 16), 'this is my diary');
});

test('a damaged page shows up in the integrity check and as store/corrupt, a file cut short at the start', (t) => {
  const dir = temporaryDirectory(t);
  const path = join(dir, 'itsgoin.db');
  const first = openTestStore(dir);
  first.migrate('notes', NOTES, ['expand']);
  const insert = first.database('notes').prepare('INSERT INTO notes (body) VALUES (?)');
  first.database('notes').transaction(() => {
    for (let i = 0; i < 500; i++) insert.run(String(i).padStart(1_000));
  });
  first.close();
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.from(whole).fill(0xff, 20 * 4_096, 40 * 4_096));
  const store = openTestStore(dir);
  t.true(store.integrityCheck().length > 0);
  t.throws(() => store.database('notes').prepare('SELECT sum(length(body)) FROM notes').all(), {
    code: 'store/corrupt',
  });
  store.close();
  writeFileSync(path, whole.subarray(0, 40_960));
  t.throws(() => openTestStore(dir), { code: 'store/corrupt' });
});

test('another program that holds the file makes a busy error, soon', (t) => {
  const { database, path } = openNotes(t);
  const other = new Sqlite(path);
  other.exec('BEGIN IMMEDIATE');
  const startMs = performance.now();
  t.throws(() => database.transaction(() => {}), { code: 'store/busy' });
  t.true(performance.now() - startMs < 500);
  other.close();
  t.notThrows(() => database.transaction(() => {}));
});

test('a directory we may not write to is an error that says so', (t) => {
  const dir = temporaryDirectory(t);
  openTestStore(dir).close();
  chmodSync(dir, 0o500);
  t.teardown(() => chmodSync(dir, 0o700));
  const script = `
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    const { openStore, lockDataDirectory, prepareDataDirectory } = await import(${JSON.stringify(new URL('../../kernel/store/index.js', import.meta.url).href)});
    const code = (call) => { try { call(); return 'none'; } catch (error) { return error.code; } };
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const dir = ${JSON.stringify(dir)};
    console.log(JSON.stringify([
      code(() => openStore({ path: dir + '/itsgoin.db', log, clock: { now: () => 0 } })),
      code(() => lockDataDirectory(dir)),
      code(() => prepareDataDirectory(dir)),
    ]));`;
  if (process.getuid?.() === 0) chmodSync(dir, 0o555);
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.deepEqual(JSON.parse(output), ['store/read-only', 'store/read-only', 'store/read-only']);
});

test('opening says what it did in the log, and only then', (t) => {
  const { store } = openNotes(t);
  t.true(log.recent().some(({ event, fields }) => event === 'migrated' && fields.owner === 'notes'));
  t.true(clock.now() > 0);
  t.deepEqual(store.integrityCheck(), []);
});

function bodies(database: { prepare(sql: string): { all(): unknown[] } }): string[] {
  return (database.prepare('SELECT body FROM notes ORDER BY id').all() as { body: string }[]).map(({ body }) => body);
}
