import { BoundedMap, hexToBytes } from '../../kernel/index.ts';
import type { Database, NodeId } from '../../kernel/index.ts';
import type { PostStore } from './post-store.ts';

/** Of the room for others' posts, the part from which on the user is told that it runs short. */
export const SHORT_FROM = 0.8;
/** What made room is taken back only while there is much of it. */
const SETTLED_BELOW = 0.9;
/** Posts that make room at a time; each costs some 15 µs. */
const EVICT_BATCH = 256;
const DAY_MS = 86_400_000;
const AUTHORS_REMEMBERED = 1_024;

export interface BudgetLimits {
  /** Bytes of others' posts on disk. */
  readonly othersMaxBytes: number;
  /** Bytes that one author may add in a day. */
  readonly authorDayMaxBytes: number;
}

interface AuthorRow {
  readonly day: number;
  readonly day_bytes: number;
  readonly evicted_ms: number;
}

/**
 * The room that others' posts have on this disk. One author adds so much a day; when all of it is used, authors who
 * hold more than an equal part make room, their oldest posts first, and what the user opened last. Own posts are
 * not counted and never go.
 */
export class PostBudget {
  readonly #db: Database;
  readonly #store: PostStore;
  readonly #self: NodeId;
  readonly #selfKey: Uint8Array;
  readonly #limits: BudgetLimits;
  readonly #now: () => number;
  /** Read for each post that comes in, written once a batch. */
  readonly #rows = new BoundedMap<NodeId, AuthorRow>(AUTHORS_REMEMBERED);

  constructor(db: Database, store: PostStore, self: NodeId, limits: BudgetLimits, now: () => number) {
    this.#db = db;
    this.#store = store;
    this.#self = self;
    this.#selfKey = hexToBytes(self);
    this.#limits = limits;
    this.#now = now;
  }

  get maxBytes(): number {
    return this.#limits.othersMaxBytes;
  }

  /** Bytes of others' posts, with what a row takes beside its text. */
  usedBytes(): number {
    return (
      this.#db
        .prepare<{ n: number }>('SELECT coalesce(sum(bytes), 0) AS n FROM authors WHERE node_id <> ?')
        .get(this.#selfKey)?.n ?? 0
    );
  }

  /** Why a post of this author and time is not taken now, if it is not: `over-budget` ends with the day. */
  refusal(author: NodeId, timestampMs: number): 'over-budget' | 'made-room' | undefined {
    if (author === this.#self) return undefined;
    const row = this.#rowOf(author);
    if (row.day === this.#day() && row.day_bytes >= this.#limits.authorDayMaxBytes) return 'over-budget';
    const isFull = timestampMs <= row.evicted_ms && this.usedBytes() > SETTLED_BELOW * this.maxBytes;
    return isFull ? 'made-room' : undefined;
  }

  /**
   * Counts what was just stored, by author, and makes room for it. To be called in the transaction of the posts.
   * Returns how many posts went.
   */
  charge(bytesByAuthor: ReadonlyMap<NodeId, number>): number {
    const day = this.#day();
    const add = this.#db.prepare(
      'UPDATE authors SET day_bytes = CASE day WHEN ? THEN day_bytes ELSE 0 END + ?, day = ? WHERE node_id = ?',
    );
    for (const [author, bytes] of bytesByAuthor) {
      add.run(day, bytes, day, hexToBytes(author));
      this.#rows.delete(author);
    }
    let evicted = 0;
    for (let over = this.usedBytes() - this.maxBytes; over > 0; over = this.usedBytes() - this.maxBytes) {
      const seqs = this.#victims(over);
      if (seqs.length === 0) break;
      this.#store.evict(seqs);
      this.#rows.clear();
      evicted += seqs.length;
    }
    return evicted;
  }

  #rowOf(author: NodeId): AuthorRow {
    const known = this.#rows.get(author);
    if (known !== undefined) return known;
    const row = this.#db
      .prepare<AuthorRow>('SELECT day, day_bytes, evicted_ms FROM authors WHERE node_id = ?')
      .get(hexToBytes(author)) ?? { day: 0, day_bytes: 0, evicted_ms: 0 };
    this.#rows.set(author, row);
    return row;
  }

  /** Posts of those who hold more than an equal part: enough to free so many bytes, or one batch. */
  #victims(bytes: number): number[] {
    const { n: authors } = this.#db
      .prepare<{ n: number }>('SELECT count(*) AS n FROM authors WHERE bytes > 0 AND node_id <> ?')
      .get(this.#selfKey) ?? { n: 1 };
    const find = (opened: boolean): { seq: number; bytes: number }[] =>
      this.#db
        .prepare<{ seq: number; bytes: number }>(
          `SELECT seq, length(CAST(body AS BLOB)) + 150 AS bytes FROM posts
           WHERE author IN (SELECT n FROM authors WHERE bytes >= ? AND node_id <> ?)
             AND ${opened ? '' : 'NOT '}EXISTS (SELECT 1 FROM opened_posts WHERE opened_posts.seq = posts.seq)
           ORDER BY timestamp_ms LIMIT ${EVICT_BATCH}`,
        )
        .all(Math.floor(this.maxBytes / Math.max(1, authors)), this.#selfKey);
    const found = find(false);
    let left = bytes;
    const seqs: number[] = [];
    for (const { seq, bytes: size } of found.length > 0 ? found : find(true)) {
      if (left <= 0) break;
      seqs.push(seq);
      left -= size;
    }
    return seqs;
  }

  /** By the calendar, since that is what a user is told; a clock set back gives an author a day more. */
  #day(): number {
    return Math.floor(this.#now() / DAY_MS);
  }
}
