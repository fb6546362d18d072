import type { PostId } from '../../plugins/content/api.ts';
import { join } from 'node:path';
import test from 'ava';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { Feed, formatCursor, parseCursor } from '../../plugins/content/feed.ts';
import type { FeedPosition } from '../../plugins/content/feed.ts';
import { contentMigrations } from '../../plugins/content/migrations/index.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const hex = (n: number): string => n.toString(16).padStart(64, '0');

function madeUp(author: number, id: number, timestampMs: number): SyncPost {
  const post = {
    author: hex(author) as NodeId,
    timestamp_ms: timestampMs,
    content: '',
    attachments: [],
    kind: 'post',
    nplus10: [],
  };
  return { id: hex(id) as PostId, post, signature: '00'.repeat(64), visibility: { kind: 'public' } };
}

test('any set of posts and any page size: the pages of a feed joined are its posts by time down, then as they lie in the index', (t) => {
  const path = join(temporaryDirectory(t), 'feed.db');
  const file = openStore({ path, log: recordingLog(), clock: new VirtualClock() });
  t.teardown(() => file.close());
  file.migrate('content', contentMigrations, ['expand', 'contract']);
  const db = file.database('content');
  // Few distinct times and authors, so that ties of both are common.
  const posts = fc.uniqueArray(
    fc.record({
      author: fc.integer({ min: 0, max: 24 }),
      time: fc.integer({ min: 1, max: 12 }),
      id: fc.integer({ min: 1, max: 5_000 }),
    }),
    { selector: ({ id }) => id, maxLength: 120 },
  );
  fc.assert(
    fc.property(
      posts,
      fc.integer({ min: 1, max: 30 }),
      fc.subarray(Array.from({ length: 26 }, (_, author) => author)),
      (entries, limit, follows) => {
        db.prepare('DELETE FROM posts').run();
        const store = new PostStore(db);
        db.transaction(() => store.insert(entries.map(({ author, id, time }) => madeUp(author, id, time))));
        const number = (author: number): number =>
          db.prepare<{ n: number }>('SELECT n FROM authors WHERE node_id = ?').get(Buffer.from(hex(author), 'hex'))
            ?.n ?? 0;
        const expected = entries
          .map((entry, arrival) => ({ ...entry, arrival, number: number(entry.author) }))
          .filter(({ author }) => follows.includes(author))
          .toSorted((a, b) => b.time - a.time || b.number - a.number || b.arrival - a.arrival)
          .map(({ id }) => hex(id));
        const feed = new Feed(db);
        const seen: string[] = [];
        let position: FeedPosition | undefined;
        for (;;) {
          const authors = follows.map((author) => hex(author) as NodeId);
          const page = feed.page(authors, limit, position);
          const last = page.at(-1);
          if (last === undefined) break;
          seen.push(...store.bySeqs(page.map(({ seq }) => seq)).map(({ id }) => id));
          position = parseCursor(formatCursor(last));
        }
        t.deepEqual(seen, expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('a page reads an index alone, whatever the number of posts, authors and equal times', (t) => {
  const path = join(temporaryDirectory(t), 'plan.db');
  const file = openStore({ path, log: recordingLog(), clock: new VirtualClock() });
  file.migrate('content', contentMigrations, ['expand', 'contract']);
  const statements: string[] = [];
  const db = file.database('content');
  const spied = {
    transaction: db.transaction,
    prepare: (sql: string) => {
      statements.push(sql);
      return db.prepare(sql);
    },
  } as typeof db;
  db.transaction(() => new PostStore(db).insert(Array.from({ length: 20 }, (_, i) => madeUp(i, 100 + i, 1))));
  const feed = new Feed(spied);
  const authors = Array.from({ length: 20 }, (_, i) => hex(i) as NodeId);
  t.is(feed.page(authors.slice(0, 1), 5).length, 1);
  t.is(feed.page(authors, 5).length, 5);
  file.close();
  const raw = new Sqlite(path, { readonly: true });
  t.teardown(() => raw.close());
  const reads = new Set(statements.filter((sql) => sql.includes('FROM posts')));
  t.is(reads.size, 3);
  for (const sql of reads) {
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array<number>(sql.split('?').length - 1).fill(1)) as {
      detail: string;
    }[];
    const tables = plan.filter(({ detail }) => /\bposts\b/.test(detail));
    t.true(tables.length > 0);
    for (const { detail } of tables) t.regex(detail, /SEARCH posts USING COVERING INDEX posts_(feed|time)/);
    t.false(
      plan.some(({ detail }) => detail.includes('ORDER BY')),
      'sorts',
    );
  }
});
