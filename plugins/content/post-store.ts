import { postIdFromBytes } from './post-id.ts';
import { bytesToHex, hexToBytes, idsWith, nodeIdFromBytes } from '../../kernel/index.ts';
import type { PostId } from './post-id.ts';
import type { Database, NodeId } from '../../kernel/index.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { Post, SyncPost } from './post.ts';

export interface PostRow {
  readonly id: Uint8Array;
  readonly author: Uint8Array;
  /** Without its author; one that an earlier version stored may have it. */
  readonly body: string;
  readonly signature: Uint8Array;
  /** Empty for public, which nearly all are. */
  readonly visibility: string;
  /** See migration 0003. */
  readonly more: string | null;
}

interface DeleteRow {
  readonly post_id: Uint8Array;
  readonly author: Uint8Array;
  readonly timestamp_ms: number;
  readonly signature: Uint8Array;
  readonly more: string | null;
}

/** A post by its id: few share the first 8 bytes, which are in an index. Takes the id twice. */
const HAS_ID = 'substr(id, 1, 8) = substr(?, 1, 8) AND id = ?';
/** Of a post on disk beside its text: ids, signature and indices, rounded up. */
export const ROW_BYTES = 150;
const PUBLIC: SyncPost['visibility'] = { kind: 'public' };

/** Posts and delete records on disk. Everything given to it has been verified. */
export class PostStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Posts stored, of whomever. Reads an index through: 4 ms for a million. */
  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM posts').get()?.n ?? 0;
  }

  has(id: PostId): boolean {
    const key = hexToBytes(id);
    return this.#db.prepare(`SELECT 1 FROM posts WHERE ${HAS_ID}`).get(key, key) !== undefined;
  }

  /** Posts, of whomever, whose ids begin with `prefix`. */
  startingWith(prefix: string, max: number): PostId[] {
    const { from, to } = idsWith(prefix);
    return this.#db
      .prepare<{ id: Uint8Array }>(
        'SELECT id FROM posts WHERE substr(id, 1, 8) BETWEEN substr(?, 1, 8) AND substr(?, 1, 8) AND id BETWEEN ? AND ? LIMIT ?',
      )
      .all(...[from, to, from, to].map(hexToBytes), max)
      .map((row) => postIdFromBytes(row.id));
  }

  /** Authors of posts that are or were stored, whose ids begin with `prefix`. */
  authorsStartingWith(prefix: string, max: number): NodeId[] {
    const { from, to } = idsWith(prefix);
    return this.#db
      .prepare<{ node_id: Uint8Array }>('SELECT node_id FROM authors WHERE node_id BETWEEN ? AND ? LIMIT ?')
      .all(hexToBytes(from), hexToBytes(to), max)
      .map((row) => nodeIdFromBytes(row.node_id));
  }

  get(id: PostId): SyncPost | undefined {
    const key = hexToBytes(id);
    const row = this.#db
      .prepare<PostRow>(
        `SELECT id, node_id AS author, body, signature, visibility, more
         FROM posts JOIN authors ON n = author WHERE ${HAS_ID}`,
      )
      .get(key, key);
    return row === undefined ? undefined : toSyncPost(row);
  }

  /** By row numbers, as the feed's indices name posts, in their order; what is gone meanwhile is left out. */
  bySeqs(seqs: readonly number[]): SyncPost[] {
    const rows = this.#db
      .prepare<PostRow & { seq: number }>(
        `SELECT seq, id, node_id AS author, body, signature, visibility, more
         FROM posts JOIN authors ON n = author WHERE seq IN (SELECT value FROM json_each(?))`,
      )
      .all(JSON.stringify(seqs));
    const found = new Map(rows.map((row) => [row.seq, row]));
    return seqs.flatMap((seq) => {
      const row = found.get(seq);
      return row === undefined ? [] : [toSyncPost(row)];
    });
  }

  /** Who wrote a stored post, without reading it. */
  authorOf(id: PostId): NodeId | undefined {
    const key = hexToBytes(id);
    const row = this.#db
      .prepare<{ node_id: Uint8Array }>(`SELECT node_id FROM posts JOIN authors ON n = author WHERE ${HAS_ID}`)
      .get(key, key);
    return row === undefined ? undefined : nodeIdFromBytes(row.node_id);
  }

  isDeleted(id: PostId, author: NodeId): boolean {
    return (
      this.#db
        .prepare('SELECT 1 FROM deleted_posts WHERE post_id = ? AND author = ?')
        .get(hexToBytes(id), hexToBytes(author)) !== undefined
    );
  }

  /**
   * Stores the posts that are neither here nor deleted and returns those it stored; `took` is told the bytes that
   * each author's take. To be called inside a transaction.
   */
  insert(
    posts: readonly SyncPost[],
    took: (bytesByAuthor: ReadonlyMap<NodeId, number>) => void = () => {},
  ): SyncPost[] {
    const insert = this.#db.prepare(
      `INSERT INTO posts (seq, id, author, timestamp_ms, body, signature, visibility, more)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const stored: SyncPost[] = [];
    const numbers = new Map<NodeId, number>();
    const bytes = new Map<NodeId, number>();
    let seq = this.head() + 1;
    for (const entry of posts) {
      const { id, post, signature, visibility, device_certificate } = entry;
      const { author, ...body } = post;
      if (this.has(id) || this.isDeleted(id, author)) continue;
      const number = numbers.get(author) ?? this.#numberOf(author);
      numbers.set(author, number);
      const text = JSON.stringify(body);
      bytes.set(author, (bytes.get(author) ?? 0) + Buffer.byteLength(text) + ROW_BYTES);
      insert.run(
        seq,
        hexToBytes(id),
        number,
        post.timestamp_ms,
        text,
        hexToBytes(signature),
        visibility.kind === 'public' ? '' : JSON.stringify(visibility),
        moreOf({ device_certificate }),
      );
      seq += 1;
      stored.push(entry);
    }
    const add = this.#db.prepare('UPDATE authors SET bytes = bytes + ? WHERE n = ?');
    for (const [author, size] of bytes) add.run(size, numbers.get(author) as number);
    if (stored.length > 0) took(bytes);
    return stored;
  }

  /** Takes posts away to make room for others. To be called inside a transaction. */
  evict(seqs: readonly number[]): void {
    const list = JSON.stringify(seqs);
    this.#db
      .prepare(
        `UPDATE authors SET bytes = authors.bytes - gone.bytes, evicted_ms = max(authors.evicted_ms, gone.newest)
         FROM (SELECT author, sum(length(CAST(body AS BLOB)) + ${ROW_BYTES}) AS bytes, max(timestamp_ms) AS newest
               FROM posts WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY author) AS gone
         WHERE gone.author = authors.n`,
      )
      .run(list);
    for (const table of ['posts', 'opened_posts']) {
      this.#db.prepare(`DELETE FROM ${table} WHERE seq IN (SELECT value FROM json_each(?))`).run(list);
    }
  }

  /** The user looked at it: it goes last when room is needed. */
  opened(id: PostId): void {
    const key = hexToBytes(id);
    this.#db.prepare(`INSERT OR IGNORE INTO opened_posts SELECT seq FROM posts WHERE ${HAS_ID}`).run(key, key);
  }

  /**
   * Stores a delete record once and deletes the post it names if its author wrote that post.
   * To be called inside a transaction.
   */
  bury(record: DeleteRecord): { readonly isNew: boolean; readonly deleted: boolean } {
    const { post_id, author, timestamp_ms, signature, ...more } = record;
    const { changes } = this.#db
      .prepare(
        `INSERT OR IGNORE INTO deleted_posts (post_id, author, timestamp_ms, signature, seq, more)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(hexToBytes(post_id), hexToBytes(author), timestamp_ms, hexToBytes(signature), this.head() + 1, moreOf(more));
    if (changes === 0) return { isNew: false, deleted: false };
    const key = hexToBytes(post_id);
    const gone = this.#db
      .prepare<{ seq: number; author: number; bytes: number }>(
        `DELETE FROM posts WHERE ${HAS_ID} AND author = (SELECT n FROM authors WHERE node_id = ?)
         RETURNING seq, author, length(CAST(body AS BLOB)) + ${ROW_BYTES} AS bytes`,
      )
      .all(key, key, hexToBytes(author));
    for (const { seq, author: number, bytes } of gone) {
      this.#db.prepare('UPDATE authors SET bytes = bytes - ? WHERE n = ?').run(bytes, number);
      this.#db.prepare('DELETE FROM opened_posts WHERE seq = ?').run(seq);
    }
    return { isNew: true, deleted: gone.length > 0 };
  }

  /** The newest delete records by arrival, newest first: at most `limit`, and `maxBytes` of JSON. */
  recentDeletes(limit: number, maxBytes: number): DeleteRecord[] {
    const records = this.#db
      .prepare<DeleteRow>(
        'SELECT post_id, author, timestamp_ms, signature, more FROM deleted_posts ORDER BY seq DESC LIMIT ?',
      )
      .all(limit)
      .map(toDeleteRecord);
    let bytes = 0;
    const end = records.findIndex((record) => {
      bytes += Buffer.byteLength(JSON.stringify(record)) + 1;
      return bytes > maxBytes;
    });
    return end === -1 ? records : records.slice(0, end);
  }

  /**
   * The highest arrival number given out. A deleted post's number is never given again: its delete
   * record has a higher one.
   */
  head(): number {
    const row = this.#db
      .prepare<{ head: number }>(
        `SELECT max(coalesce((SELECT max(seq) FROM posts), 0), coalesce((SELECT max(seq) FROM deleted_posts), 0)) AS head`,
      )
      .get();
    return row?.head ?? 0;
  }

  /** The number that rows have for an author, who gets one now if it has none. */
  #numberOf(author: NodeId): number {
    const key = hexToBytes(author);
    this.#db.prepare('INSERT OR IGNORE INTO authors (node_id) VALUES (?)').run(key);
    return this.#db.prepare<{ n: number }>('SELECT n FROM authors WHERE node_id = ?').get(key)?.n as number;
  }
}

export function toSyncPost(row: PostRow): SyncPost {
  return {
    id: postIdFromBytes(row.id),
    post: { ...(JSON.parse(row.body) as Omit<Post, 'author'>), author: nodeIdFromBytes(row.author) },
    signature: bytesToHex(row.signature),
    visibility: row.visibility === '' ? PUBLIC : (JSON.parse(row.visibility) as SyncPost['visibility']),
    ...fromMore(row.more),
  };
}

export function toDeleteRecord(row: DeleteRow): DeleteRecord {
  return {
    post_id: postIdFromBytes(row.post_id),
    author: nodeIdFromBytes(row.author),
    timestamp_ms: row.timestamp_ms,
    signature: bytesToHex(row.signature),
    ...fromMore(row.more),
  };
}

function moreOf(more: Readonly<Record<string, unknown>>): string | null {
  const text = JSON.stringify(more);
  return text === '{}' ? null : text;
}

function fromMore(more: string | null): Record<string, unknown> {
  return more === null ? {} : (JSON.parse(more) as Record<string, unknown>);
}
