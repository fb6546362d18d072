import { isPostId, postIdFromBytes } from './post-id.ts';
import { hexToBytes } from '../../kernel/index.ts';
import type { PostId } from './post-id.ts';
import type { Database, NodeId } from '../../kernel/index.ts';

/** A place in a feed: the post a page ended with. */
export interface FeedPosition {
  readonly timestampMs: number;
  readonly id: PostId;
}

interface Entry {
  readonly seq: number;
  readonly timestamp_ms: number;
  readonly id: Uint8Array;
}

/** One author's posts from a position on, read a few at a time. */
interface Source {
  readonly author: number;
  /** What this author comes next with; until it is read, an entry that sorts before it. */
  head: Entry;
  buffer: readonly Entry[];
  next: number;
  /** Rows of the next read; doubles, so that a feed of one author costs few reads. */
  step: number;
}

interface Newest {
  readonly author: number;
  readonly timestamp_ms: number;
}

/** Where each author stands, in one statement: a call from JavaScript costs ten times a seek. */
const NEWEST = `
  SELECT * FROM (SELECT value AS author, (SELECT timestamp_ms FROM posts
    WHERE author = value AND timestamp_ms <= ? ORDER BY timestamp_ms DESC LIMIT 1) AS timestamp_ms
  FROM json_each(?)) WHERE timestamp_ms IS NOT NULL`;
/** All posts of some authors within a time. */
const WITHIN = `
  SELECT seq, timestamp_ms, id FROM posts
  WHERE author IN (SELECT value FROM json_each(?)) AND timestamp_ms BETWEEN ? AND ? LIMIT ?`;
/** Rows the short way may read: a quarter of a millisecond. */
const WITHIN_MAX = 1_000;
/** Two seeks instead of one row-value comparison, because time runs down and ids run up. */
const AFTER = `
  SELECT * FROM (SELECT seq, timestamp_ms, id FROM posts
    WHERE author = ? AND timestamp_ms = ? AND id > ? ORDER BY id LIMIT ?)
  UNION ALL
  SELECT * FROM (SELECT seq, timestamp_ms, id FROM posts
    WHERE author = ? AND timestamp_ms < ? ORDER BY timestamp_ms DESC, id LIMIT ?)
  LIMIT ?`;
const STEP_MIN = 3;
const STEP_MAX = 64;
/** `seq` of a head that is not read yet; real ones start at 1. */
const UNREAD = 0;
const NO_ID = new Uint8Array(0);
/** Before every post. */
const TOP: FeedPosition = { timestampMs: Number.MAX_SAFE_INTEGER, id: postIdFromBytes(new Uint8Array(32).fill(0xff)) };
/** Author numbers kept in memory; at the cap all are dropped and read again. */
const AUTHORS_MAX = 16_384;

/**
 * The newest posts of a set of authors: timestamp descending, then PostId ascending (VIS-04).
 *
 * A merge over one index, author by author, rather than a table per feed: following someone with
 * 100,000 posts changes the feed at once and writes nothing. A page costs one seek per author, about a microsecond,
 * plus a read per few posts of the page, at any depth.
 */
export class Feed {
  readonly #db: Database;
  readonly #numbers = new Map<NodeId, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Row numbers (`seq`) of the page after `position`, in feed order. */
  page(authors: Iterable<NodeId>, limit: number, position: FeedPosition = TOP): number[] {
    const newest = this.#newest(authors, position.timestampMs);
    return this.#pageWithin(newest, limit, position) ?? this.#pageMerged(newest, limit, position);
  }

  /**
   * The short way, when there are at least as many authors as posts to a page: no post of the page is
   * older than the newest of the `limit`-th author. `undefined` when few of them wrote nearly all.
   */
  #pageWithin(newest: readonly Newest[], limit: number, { timestampMs, id }: FeedPosition): number[] | undefined {
    const oldest = newest.map(({ timestamp_ms }) => timestamp_ms).sort((a, b) => b - a)[limit - 1];
    if (oldest === undefined) return undefined;
    const authors = newest.filter(({ timestamp_ms }) => timestamp_ms >= oldest).map(({ author }) => author);
    const rows = this.#db.prepare<Entry>(WITHIN).all(JSON.stringify(authors), oldest, timestampMs, WITHIN_MAX);
    if (rows.length === WITHIN_MAX) return undefined;
    const after = { seq: UNREAD, timestamp_ms: timestampMs, id: hexToBytes(id) };
    const page = rows.filter((row) => compare(after, row) < 0).sort(compare);
    return page.length < limit ? undefined : page.slice(0, limit).map(({ seq }) => seq);
  }

  /** The sure way: author by author, always the one whose next post is the newest. */
  #pageMerged(newest: readonly Newest[], limit: number, position: FeedPosition): number[] {
    const heap: Source[] = [];
    for (const { author, timestamp_ms } of newest) {
      push(heap, { author, head: { seq: UNREAD, timestamp_ms, id: NO_ID }, buffer: [], next: 0, step: STEP_MIN });
    }
    const after = { timestamp_ms: position.timestampMs, id: hexToBytes(position.id) };
    const page: number[] = [];
    for (let source = heap[0]; source !== undefined && page.length < limit; source = heap[0]) {
      if (source.head.seq === UNREAD) {
        this.#advance(heap, source, after);
      } else {
        page.push(source.head.seq);
        this.#advance(heap, source, source.head);
      }
    }
    return page;
  }

  #newest(authors: Iterable<NodeId>, timestampMs: number): Newest[] {
    const numbers = [...authors].flatMap((nodeId) => this.#number(nodeId) ?? []);
    return this.#db.prepare<Newest>(NEWEST).all(timestampMs, JSON.stringify(numbers));
  }

  /** Moves the heap's first source to its next entry, which comes after `from`. */
  #advance(heap: Source[], source: Source, from: Pick<Entry, 'timestamp_ms' | 'id'>): void {
    let entry = source.buffer[source.next];
    if (entry === undefined) {
      source.buffer = this.#read(source.author, source.step, from);
      source.next = 0;
      source.step = Math.min(source.step * 2, STEP_MAX);
      entry = source.buffer[0];
    }
    source.next += 1;
    if (entry === undefined) {
      const last = heap.pop();
      if (last === undefined || last === source) return;
      heap[0] = last;
    } else {
      source.head = entry;
    }
    sink(heap);
  }

  #read(author: number, limit: number, { timestamp_ms, id }: Pick<Entry, 'timestamp_ms' | 'id'>): Entry[] {
    return this.#db.prepare<Entry>(AFTER).all(author, timestamp_ms, id, limit, author, timestamp_ms, limit, limit);
  }

  #number(nodeId: NodeId): number | undefined {
    const known = this.#numbers.get(nodeId);
    if (known !== undefined) return known;
    const row = this.#db.prepare<{ n: number }>('SELECT n FROM authors WHERE node_id = ?').get(hexToBytes(nodeId));
    if (row === undefined) return undefined;
    if (this.#numbers.size >= AUTHORS_MAX) this.#numbers.clear();
    this.#numbers.set(nodeId, row.n);
    return row.n;
  }
}

/** Negative when `a` comes before `b` in a feed. */
function compare(a: Entry, b: Entry): number {
  return b.timestamp_ms - a.timestamp_ms || Buffer.compare(a.id, b.id);
}

function push(heap: Source[], source: Source): void {
  let at = heap.push(source) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || compare(above.head, source.head) <= 0) break;
    heap[at] = above;
    heap[parent] = source;
    at = parent;
  }
}

function sink(heap: Source[]): void {
  const source = heap[0];
  if (source === undefined) return;
  for (let at = 0; ; ) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const rightFirst = left !== undefined && right !== undefined && compare(right.head, left.head) < 0;
    const child = rightFirst ? right : left;
    if (child === undefined || compare(source.head, child.head) <= 0) return;
    heap[at] = child;
    at = 2 * at + (rightFirst ? 2 : 1);
    heap[at] = source;
  }
}

const CURSOR = /^(\d{1,16})\.(\w{64})$/;

/** The text form of a position, as `next` and `cursor` carry it. */
export function formatCursor(position: FeedPosition): string {
  return `${position.timestampMs}.${position.id}`;
}

export function parseCursor(text: string): FeedPosition | undefined {
  const [, time, id] = CURSOR.exec(text) ?? [];
  return time !== undefined && isPostId(id) ? { timestampMs: Number(time), id } : undefined;
}
