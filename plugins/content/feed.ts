import { hexToBytes } from '../../kernel/index.ts';
import type { Database, NodeId } from '../../kernel/index.ts';
import { Heap } from './heap.ts';

/**
 * A post's place in a feed. Newest first; of the same millisecond as the index has them, by the number of the author
 * and by arrival, so that no number of equal times makes a page slow.
 */
export interface FeedPosition {
  readonly timestampMs: number;
  /** Row number of the author here. */
  readonly author: number;
  /** Row number of the post here. */
  readonly seq: number;
}

interface Row {
  readonly timestamp_ms: number;
  readonly author: number;
  readonly seq: number;
}

/** One author's posts from a position on, read a few at a time. */
interface Source {
  readonly author: number;
  /** What this author comes next with; until it is read, an entry that sorts before it. */
  head: FeedPosition;
  buffer: readonly FeedPosition[];
  next: number;
  /** Rows of the next read; doubles, so that a feed of one author costs few reads. */
  step: number;
}

/** The posts of some authors among so many of everybody's. A LIMIT of its own keeps the inner order. */
const AMONG = `
  SELECT timestamp_ms, author, seq FROM (
    SELECT timestamp_ms, author, seq FROM posts INDEXED BY posts_time
    WHERE (timestamp_ms, author, seq) < (?, ?, ?)
    ORDER BY timestamp_ms DESC, author DESC, seq DESC LIMIT ?)
  WHERE author IN (SELECT value FROM json_each(?)) LIMIT ?`;
/** Where each author stands, in one statement: a call from JavaScript costs ten times a seek. */
const NEWEST = `
  SELECT * FROM (SELECT value AS author, (SELECT timestamp_ms FROM posts
    WHERE author = value AND timestamp_ms <= ? ORDER BY timestamp_ms DESC LIMIT 1) AS timestamp_ms
  FROM json_each(?)) WHERE timestamp_ms IS NOT NULL`;
const AFTER = `
  SELECT timestamp_ms, author, seq FROM posts INDEXED BY posts_feed
  WHERE author = ? AND (timestamp_ms, seq) < (?, ?) ORDER BY timestamp_ms DESC, seq DESC LIMIT ?`;
/**
 * What the merge costs for each author and for each post of the page, in entries of the index by time (0.17 µs). So
 * many are looked at before it is merged: the page costs at most twice what the better way would.
 */
const LOOKS_PER_AUTHOR = 12;
const LOOKS_PER_POST = 40;
/** With fewer authors the seeks cost less than one look. */
const AMONG_MIN = 16;
const STEP_MIN = 3;
const STEP_MAX = 64;
/** Above every row number: of the position before all posts, and of a head that is not read yet. */
const UNREAD = Number.MAX_SAFE_INTEGER;
const TOP: FeedPosition = { timestampMs: UNREAD, author: UNREAD, seq: UNREAD };
/** Author numbers kept in memory; at the cap all are dropped and read again. */
const AUTHORS_MAX = 16_384;

/**
 * The newest posts of a set of authors (VIS-04).
 *
 * Read out of indices rather than from a table per feed: following someone with 100,000 posts changes the feed at
 * once and writes nothing. Who follows most of those who write finds a page among the newest posts of everybody;
 * who follows few of them merges author by author. Each at any depth.
 */
export class Feed {
  readonly #db: Database;
  readonly #numbers = new Map<NodeId, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** The page after `position`, in feed order. */
  page(authors: Iterable<NodeId>, limit: number, position: FeedPosition = TOP): FeedPosition[] {
    const numbers = [...authors].flatMap((nodeId) => this.#number(nodeId) ?? []);
    return this.#pageAmong(numbers, limit, position) ?? this.#pageMerged(numbers, limit, position);
  }

  /** `undefined` when the authors wrote too little of what there is for a page to be found in reasonable time. */
  #pageAmong(numbers: readonly number[], limit: number, after: FeedPosition): FeedPosition[] | undefined {
    if (numbers.length < AMONG_MIN) return undefined;
    const { timestampMs, author, seq } = after;
    const looks = numbers.length * LOOKS_PER_AUTHOR + limit * LOOKS_PER_POST;
    const rows = this.#db
      .prepare<Row>(AMONG)
      .all(timestampMs, author, seq, looks, JSON.stringify(numbers), limit)
      .map(toPosition);
    return rows.length === limit ? rows : undefined;
  }

  /** Author by author, always the one whose next post is the newest. */
  #pageMerged(numbers: readonly number[], limit: number, after: FeedPosition): FeedPosition[] {
    const heap = new Heap<Source>((a, b) => compare(a.head, b.head));
    const newest = this.#db
      .prepare<{ author: number; timestamp_ms: number }>(NEWEST)
      .all(after.timestampMs, JSON.stringify(numbers));
    for (const { author, timestamp_ms } of newest) {
      const head = { timestampMs: timestamp_ms, author, seq: UNREAD };
      heap.push({ author, head, buffer: [], next: 0, step: STEP_MIN });
    }
    const page: FeedPosition[] = [];
    for (let source = heap.first; source !== undefined && page.length < limit; source = heap.first) {
      const { head } = source;
      if (head.seq !== UNREAD) page.push(head);
      this.#advance(heap, source, head.seq === UNREAD ? after : head);
    }
    return page;
  }

  /** Moves the heap's first source to its next entry, which comes after `from`. */
  #advance(heap: Heap<Source>, source: Source, from: FeedPosition): void {
    let entry = source.buffer[source.next];
    if (entry === undefined) {
      source.buffer = this.#read(source.author, source.step, from);
      source.next = 0;
      source.step = Math.min(source.step * 2, STEP_MAX);
      entry = source.buffer[0];
    }
    source.next += 1;
    if (entry === undefined) {
      heap.dropFirst();
    } else {
      source.head = entry;
      heap.firstChanged();
    }
  }

  #read(author: number, limit: number, from: FeedPosition): FeedPosition[] {
    // Of the millisecond of another author's post: all or nothing, by the order of the two.
    const seq = author === from.author ? from.seq : author < from.author ? UNREAD : 0;
    return this.#db.prepare<Row>(AFTER).all(author, from.timestampMs, seq, limit).map(toPosition);
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

function toPosition({ timestamp_ms, author, seq }: Row): FeedPosition {
  return { timestampMs: timestamp_ms, author, seq };
}

/** Negative when `a` comes before `b` in a feed. */
function compare(a: FeedPosition, b: FeedPosition): number {
  return b.timestampMs - a.timestampMs || b.author - a.author || b.seq - a.seq;
}

const CURSOR = /^(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/;

/** The text form of a position, as `next` and `cursor` carry it. */
export function formatCursor({ timestampMs, author, seq }: FeedPosition): string {
  return `${timestampMs}.${author}.${seq}`;
}

export function parseCursor(text: string): FeedPosition | undefined {
  const [timestampMs, author, seq] = (CURSOR.exec(text) ?? []).slice(1).map(Number);
  if (timestampMs === undefined || author === undefined || seq === undefined) return undefined;
  return [timestampMs, author, seq].every(Number.isSafeInteger) ? { timestampMs, author, seq } : undefined;
}
