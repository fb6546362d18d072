import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import type { PostId } from '../../plugins/content/api.ts';
import { contentMigrations } from '../../plugins/content/migrations/index.ts';
import { PostBudget } from '../../plugins/content/post-budget.ts';
import { PostStore, ROW_BYTES } from '../../plugins/content/post-store.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2027, 0, 1);
const LIMITS = { othersMaxBytes: 1_000_000, authorDayMaxBytes: 300_000 };
const nodeId = (name: string): NodeId => Buffer.from(name.padEnd(32)).toString('hex') as NodeId;

function rig(t: Parameters<typeof temporaryDirectory>[0], limits = LIMITS) {
  const file = openStore({
    path: join(temporaryDirectory(t), 'posts.db'),
    log: recordingLog(),
    clock: new VirtualClock(),
  });
  t.teardown(() => file.close());
  file.migrate('content', contentMigrations, ['expand', 'contract']);
  const db = file.database('content');
  const store = new PostStore(db);
  let nowMs = START_MS;
  const budget = new PostBudget(db, store, nodeId('me'), limits, () => nowMs);
  let ids = 0;
  const post = (author: string, bytes: number, atMs = nowMs): SyncPost => ({
    id: (ids++).toString(16).padStart(64, '0') as PostId,
    post: {
      ...{ author: nodeId(author), timestamp_ms: atMs, content: 'x'.repeat(bytes) },
      ...{ attachments: [], kind: 'post', nplus10: [] },
    },
    signature: '00'.repeat(64),
    visibility: { kind: 'public' },
  });
  return {
    store,
    budget,
    post,
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** As ingest does: what is refused is not stored. Returns what was. */
    take(posts: readonly SyncPost[]): SyncPost[] {
      const wanted = posts.filter(({ post: { author, timestamp_ms } }) => !budget.refusal(author, timestamp_ms));
      return db.transaction(() => store.insert(wanted, (bytes) => void budget.charge(bytes)));
    },
    /** What the rows really take. */
    real: () =>
      db
        .prepare<{ n: number }>(
          `SELECT coalesce(sum(length(CAST(body AS BLOB)) + ${ROW_BYTES}), 0) AS n
           FROM posts JOIN authors ON n = author WHERE node_id <> ?`,
        )
        .get(Buffer.from(nodeId('me'), 'hex'))?.n ?? 0,
  };
}

test('somebody followed could fill the disk: a mad day of one never takes more than the budget, and costs others nothing', (t) => {
  const { take, post, budget, pass, store, real } = rig(t);
  const friends = take(Array.from({ length: 40 }, () => post('friend', 2_000)));
  const own = take(Array.from({ length: 40 }, () => post('me', 20_000)));
  let stored = 0;
  for (let hour = 0; hour < 24 * 6; hour++) {
    for (let batch = 0; batch < 8; batch++) stored += take(Array.from({ length: 16 }, () => post('mad', 4_000))).length;
    t.true(budget.usedBytes() <= LIMITS.othersMaxBytes, `hour ${hour}: ${budget.usedBytes()}`);
    pass(HOUR_MS);
  }
  t.is(budget.usedBytes(), real());
  t.true(stored <= 7 * (LIMITS.authorDayMaxBytes / 4_000 + 16), `${stored} posts in seven days`);
  t.true(
    friends.every(({ id }) => store.has(id)),
    'who takes less than an equal part makes no room',
  );
  t.true(
    own.every(({ id }) => store.has(id)),
    'own posts never go',
  );
});

test('the oldest go first, and what the user opened last', (t) => {
  const { take, post, store, pass, budget } = rig(t, { othersMaxBytes: 1_000_000, authorDayMaxBytes: 1e9 });
  const first = take(Array.from({ length: 100 }, (_, n) => post('anna', 5_000, START_MS + n)));
  store.opened((first[0] as SyncPost).id);
  pass(HOUR_MS);
  take(Array.from({ length: 120 }, (_, n) => post('anna', 5_000, START_MS + HOUR_MS + n)));
  t.true(store.has((first[0] as SyncPost).id), 'opened');
  t.false(store.has((first[1] as SyncPost).id));
  t.true(store.has((first[99] as SyncPost).id));
  t.is(budget.refusal(nodeId('anna'), START_MS), 'made-room', 'what made room does not come back');
  t.is(budget.refusal(nodeId('anna'), START_MS + 2 * HOUR_MS), undefined);
});

test('an author who added all it may in a day is taken again the next day', (t) => {
  const { take, post, budget, pass } = rig(t);
  while (take([post('mad', 50_000)]).length > 0);
  t.is(budget.refusal(nodeId('mad'), START_MS), 'over-budget');
  t.is(budget.refusal(nodeId('me'), START_MS), undefined);
  pass(24 * HOUR_MS);
  t.is(take([post('mad', 50_000)]).length, 1);
});

test('what an author takes is counted through deletes, and in a store of an earlier version', (t) => {
  const { take, post, budget, store, real } = rig(t);
  const posts = take([post('anna', 100), post('anna', 200), post('bert', 300)]);
  store.opened((posts[0] as SyncPost).id);
  const [gone] = posts as [SyncPost];
  t.true(
    store.bury({ post_id: gone.id, author: nodeId('anna'), timestamp_ms: START_MS, signature: '00'.repeat(64) })
      .deleted,
  );
  t.is(budget.usedBytes(), real());
  const path = join(temporaryDirectory(t), 'former.db');
  const former = openStore({ path, log: recordingLog(), clock: new VirtualClock() });
  t.teardown(() => former.close());
  former.migrate('content', contentMigrations.slice(0, 5), ['expand', 'contract']);
  const db = former.database('content');
  db.prepare('INSERT INTO authors (node_id) VALUES (?)').run(Buffer.from(nodeId('anna'), 'hex'));
  const insert =
    "INSERT INTO posts (id, author, timestamp_ms, body, signature, visibility) VALUES (?, 1, 1, ?, x'00', '')";
  for (const text of ['é', 'four']) db.prepare(insert).run(Buffer.from(text), text);
  former.migrate('content', contentMigrations, ['expand', 'contract']);
  const limits = new PostBudget(db, new PostStore(db), nodeId('me'), LIMITS, () => START_MS);
  t.is(limits.usedBytes(), 6 + 2 * ROW_BYTES);
});
