import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import type { PostId } from '../../plugins/content/api.ts';
import { Feed } from '../../plugins/content/feed.ts';
import type { FeedPosition } from '../../plugins/content/feed.ts';
import { contentMigrations } from '../../plugins/content/migrations/index.ts';
import { PostStore } from '../../plugins/content/post-store.ts';
import { BUSY, fillStore, QUIET, START_MS, SPAN_MS } from './fill.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const PAGE = 50;
const PAGES = 1_000;
const FOLLOWED = [
  { who: '100', from: 0, count: 100 },
  { who: '1,000', from: 0, count: 1_000 },
  { who: '2,000', from: 0, count: 2_000 },
  { who: '1,000 who write little', from: BUSY, count: QUIET },
];

/** Milliseconds of one page with its posts read. */
interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface FeedFigures {
  readonly posts: number;
  readonly authors: number;
  /** Of the file, indices and all, and what of it is not the text of the posts. */
  readonly bytesPerPost: number;
  readonly bytesBesideText: number;
  /** The reference: reading 50 posts by id in the same file, one by one. */
  readonly fiftyReadsMs: number;
  /** Counting all posts, as a generation does when it starts. */
  readonly countMs: number;
  /** By whom is followed: the first page, and pages at random depths. */
  readonly pages: readonly { readonly followed: string; readonly first: Times; readonly deep: Times }[];
}

/** Pages of feeds of few and of many, out of a large database. */
export async function measureFeed(posts = 1_000_000, seed = 7): Promise<FeedFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-feed-'));
  try {
    const random = seededRandom(seed);
    const path = join(dir, 'feed.db');
    const file = openStore({ path, log: SILENT, clock: systemClock() });
    file.migrate('content', contentMigrations, ['expand', 'contract']);
    const db = file.database('content');
    const store = new PostStore(db);
    const { authors, ids, textBytes } = await fillStore(db, posts, random);
    const feed = new Feed(db);
    const page = (follows: readonly NodeId[], position?: FeedPosition): number =>
      timed(() => store.bySeqs(feed.page(follows, PAGE, position).map(({ seq }) => seq)));
    const pages = FOLLOWED.map(({ who, from, count }) => {
      const follows = authors.slice(from, from + count);
      const anywhere = (): FeedPosition => ({
        timestampMs: START_MS + random.integer(SPAN_MS),
        author: 0,
        seq: 0,
      });
      const first = Array.from({ length: PAGES }, () => page(follows));
      const deep = Array.from({ length: PAGES }, () => page(follows, anywhere()));
      return { followed: who, first: timesOf(first), deep: timesOf(deep) };
    });
    const reads = Array.from({ length: 200 }, () =>
      timed(() => {
        for (let i = 0; i < PAGE; i++) store.get(ids[random.integer(ids.length)] as PostId);
      }),
    );
    const countMs = timed(() => store.count());
    await file.close();
    const bytesPerPost = statSync(path).size / posts;
    return {
      posts,
      authors: authors.length,
      bytesPerPost,
      bytesBesideText: bytesPerPost - textBytes / posts,
      fiftyReadsMs: quantile(reads, 0.5),
      countMs,
      pages,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function timed(work: () => unknown): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

function timesOf(ms: readonly number[]): Times {
  return { p50Ms: quantile(ms, 0.5), p99Ms: quantile(ms, 0.99), maxMs: Math.max(...ms) };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
