import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../kernel/clock/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

function twoOwners(t: Parameters<typeof temporaryDirectory>[0]) {
  const store = openStore({
    path: join(temporaryDirectory(t), 'itsgoin.db'),
    log: recordingLog(),
    clock: systemClock(),
  });
  t.teardown(() => store.close());
  const sql = `CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX by_text ON posts (text);
    INSERT INTO posts (text) VALUES ('kept');`;
  store.migrate('content', [{ id: '0001-posts', kind: 'expand', sql }], ['expand']);
  store.confine('my-notes');
  const own =
    'CREATE TABLE my_notes_pages (id INTEGER PRIMARY KEY, text TEXT, n INTEGER); CREATE INDEX my_n ON my_notes_pages (n)';
  store.migrate('my-notes', [{ id: '0001-pages', kind: 'expand', sql: own }], ['expand']);
  return store;
}

test('a stranger’s migration dropped, changed and emptied the tables of others', (t) => {
  const store = twoOwners(t);
  const first = { id: '0001-pages', kind: 'expand', sql: '' } as const;
  for (const sql of [
    'DROP TABLE posts',
    'ALTER TABLE posts ADD COLUMN mine TEXT',
    'ALTER TABLE posts RENAME TO my_notes_posts',
    'DELETE FROM posts',
    "UPDATE posts SET text = 'mine'",
    "INSERT INTO posts (text) VALUES ('mine')",
    "INSERT OR REPLACE INTO posts (id, text) VALUES (1, 'mine')",
    'DROP INDEX by_text',
    'CREATE INDEX my_notes_i ON posts (text)',
    'CREATE TRIGGER my_notes_t AFTER INSERT ON posts BEGIN SELECT 1; END',
    'DELETE FROM kernel_tables',
    'DROP TABLE kernel_migrations',
    'CREATE TABLE pages (id INTEGER)',
    'CREATE VIEW seen AS SELECT * FROM posts',
    "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'posts'",
  ]) {
    t.throws(
      () => store.migrate('my-notes', [first, { id: '0002-harm', kind: 'expand', sql }], ['expand']),
      undefined,
      sql,
    );
  }
  t.deepEqual(store.database('content').prepare('SELECT text FROM posts').all(), [{ text: 'kept' }]);
  t.deepEqual(store.integrityCheck(), []);
  const more = { id: '0002-more', kind: 'expand', sql: 'ALTER TABLE my_notes_pages ADD COLUMN at_ms INTEGER' } as const;
  t.deepEqual(store.migrate('my-notes', [first, more], ['expand']), ['0002-more']);
});

test('a stranger’s statement read and wrote the tables of others', (t) => {
  const store = twoOwners(t);
  const db = store.database('my-notes');
  for (const sql of [
    'SELECT * FROM posts',
    'SELECT text FROM posts WHERE text = ?',
    'SELECT count(*) FROM my_notes_pages JOIN posts USING (id)',
    'SELECT (SELECT max(id) FROM posts)',
    'INSERT INTO my_notes_pages (text) SELECT text FROM posts',
    'DELETE FROM posts',
    'UPDATE posts SET text = $text',
    'INSERT INTO posts (text) VALUES (?)',
    'DROP TABLE posts',
    'CREATE TABLE my_notes_more (id INTEGER)',
    'SELECT * FROM kernel_tables',
    'UPDATE kernel_tables SET owner = ? WHERE name = ?',
  ]) {
    t.throws(() => db.prepare(sql), { code: 'store/foreign-table' }, sql);
  }
});

test('a confined owner has its own tables with every kind of parameter', (t) => {
  const db = twoOwners(t).database('my-notes');
  db.prepare('INSERT INTO my_notes_pages (text, n) VALUES (?, ?)').run('a', 1);
  db.prepare('INSERT INTO my_notes_pages (text, n) VALUES ($text, $n)').run({ text: 'b', n: 2 });
  db.prepare('UPDATE my_notes_pages SET n = ?2 WHERE text = ?1').run({ 1: 'a', 2: 3 });
  t.deepEqual(db.prepare('SELECT text, n FROM my_notes_pages WHERE n > ? ORDER BY n').all(0), [
    { text: 'b', n: 2 },
    { text: 'a', n: 3 },
  ]);
  t.deepEqual(db.prepare("SELECT value FROM json_each(?) WHERE value <> ''").all('["x"]'), [{ value: 'x' }]);
  t.throws(() => db.prepare('SELECT nothing FROM my_notes_pages'), { message: /nothing/ });
});
