import type { PostId } from '../../plugins/content/api.ts';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import type { NodeId, Random } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { Feed } from '../../plugins/content/feed.ts';
import type { FeedPosition } from '../../plugins/content/feed.ts';
import { postsMigration } from '../../plugins/content/migrations/0001-posts.ts';
import { proofsMigration } from '../../plugins/content/migrations/0003-proofs.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import type { SyncPost } from '../../plugins/content/post.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const PAGE = 50;
const START_MS = 1_767_225_600_000;
const SPAN_MS = 365 * 86_400_000;

export interface FeedFigures {
  readonly posts: number;
  readonly authors: number;
  readonly followed: number;
  /** Milliseconds of a page of 50 with its posts read, from the first page to the last. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly deepP99Ms: number;
  /** The reference: reading 50 posts by id in the same file, one by one. */
  readonly fiftyReadsMs: number;
  readonly ratio: number;
  /** Counting all posts, as a generation does when it starts. */
  readonly countMs: number;
  readonly loopMaxMs: number;
}

/** Pages of a feed at random and greatest depths of a large database. */
export async function measureFeed(posts = 1_000_000, authors = 500, followed = 100, seed = 7): Promise<FeedFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-feed-'));
  try {
    const random = seededRandom(seed);
    const file = openStore({ path: join(dir, 'feed.db'), log: SILENT, clock: systemClock() });
    file.migrate('content', [postsMigration, proofsMigration], ['expand']);
    const db = file.database('content');
    const nodeIds = Array.from(
      { length: authors },
      (_, i) => createHash('sha256').update(`${seed}/${i}`).digest('hex') as NodeId,
    );
    const ids = fill(db, new PostStore(db), nodeIds, posts, random);
    const store = new PostStore(db);
    const counting = performance.now();
    store.count();
    const countMs = performance.now() - counting;
    const feed = new Feed(db);
    const follows = nodeIds.slice(0, followed);
    const positions = (from: number, share: number): FeedPosition[] =>
      Array.from({ length: 1_000 }, () => ({
        timestampMs: START_MS + Math.floor((from + random.float() * share) * SPAN_MS),
        id: ids[random.integer(ids.length)] as PostId,
      }));
    const page = (position?: FeedPosition): number => {
      const start = performance.now();
      const read = store.bySeqs(feed.page(follows, PAGE, position));
      const ms = performance.now() - start;
      if (position === undefined && read.length !== PAGE) throw new Error(`a page of ${read.length}`);
      return ms;
    };
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const anywhere: number[] = [];
    for (const position of positions(0, 1)) {
      anywhere.push(page(), page(position));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    delay.disable();
    const deep = positions(0, 0.01).map((position) => page(position));
    const reads = Array.from({ length: 200 }, () => {
      const start = performance.now();
      for (let i = 0; i < PAGE; i++) store.get(ids[random.integer(ids.length)] as PostId);
      return performance.now() - start;
    });
    file.close();
    const fiftyReadsMs = quantile(reads, 0.5);
    const p50Ms = quantile(anywhere, 0.5);
    return {
      posts,
      authors,
      followed,
      p50Ms,
      countMs,
      fiftyReadsMs,
      p99Ms: quantile(anywhere, 0.99),
      maxMs: Math.max(...anywhere),
      deepP99Ms: quantile(deep, 0.99),
      ratio: p50Ms / fiftyReadsMs,
      loopMaxMs: delay.max / 1e6,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Posts at random times by random authors, as if they had arrived in no order. Gives their ids. */
function fill(
  db: { transaction<R>(work: () => R): R },
  store: PostStore,
  authors: readonly NodeId[],
  count: number,
  random: Random,
): PostId[] {
  const ids: PostId[] = [];
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(20_000, count - ids.length) }, () => {
      const post = madeUp(authors[random.integer(authors.length)] as NodeId, random);
      ids.push(post.id);
      return { post, body: JSON.stringify(post.post) };
    });
    db.transaction(() => store.insert(batch));
  }
  return ids;
}

function madeUp(author: NodeId, random: Random): SyncPost {
  const id = Buffer.from(random.bytes(32)).toString('hex') as PostId;
  const content = 'It goes well, and how is it going with you? '.repeat(1 + random.integer(5));
  return {
    id,
    post: {
      attachments: [],
      author,
      content,
      kind: 'post',
      nplus10: [],
      timestamp_ms: START_MS + random.integer(SPAN_MS),
    },
    signature: id + id,
    visibility: { kind: 'public' },
  };
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

if (import.meta.main) {
  const figures = await measureFeed(Number(process.env.POSTS ?? 1_000_000));
  if (process.argv.includes('--json')) console.log(JSON.stringify(figures));
  else console.table(figures);
}
