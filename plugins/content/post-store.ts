import { postIdFromBytes } from './post-id.ts';
import { hexToBytes, bytesToHex, nodeIdFromBytes } from '../../kernel/index.ts';
import type { PostId } from './post-id.ts';
import type { Database, NodeId } from '../../kernel/index.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { Post, SyncPost } from './post.ts';

interface PostRow {
  readonly id: Uint8Array;
  readonly body: string;
  readonly signature: Uint8Array;
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
    return this.#db.prepare('SELECT 1 FROM posts WHERE id = ?').get(hexToBytes(id)) !== undefined;
  }

  get(id: PostId): SyncPost | undefined {
    const row = this.#db
      .prepare<PostRow>('SELECT id, body, signature, visibility, more FROM posts WHERE id = ?')
      .get(hexToBytes(id));
    return row === undefined ? undefined : toSyncPost(row);
  }

  /** By row numbers, as the feed index names posts, in their order; what is gone meanwhile is left out. */
  bySeqs(seqs: readonly number[]): SyncPost[] {
    const rows = this.#db
      .prepare<PostRow & { seq: number }>(
        'SELECT seq, id, body, signature, visibility, more FROM posts WHERE seq IN (SELECT value FROM json_each(?))',
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
    const row = this.#db
      .prepare<{ node_id: Uint8Array }>('SELECT a.node_id FROM posts p JOIN authors a ON a.n = p.author WHERE p.id = ?')
      .get(hexToBytes(id));
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
   * Stores the posts that are neither here nor deleted and returns those it stored. To be called inside
   * a transaction; `body` texts are the canonical ones their ids were computed from.
   */
  insert(posts: readonly { readonly post: SyncPost; readonly body: string }[]): SyncPost[] {
    const intern = this.#db.prepare('INSERT OR IGNORE INTO authors (node_id) VALUES (?)');
    const insert = this.#db.prepare(
      `INSERT OR IGNORE INTO posts (seq, id, author, timestamp_ms, body, signature, visibility, more)
       VALUES (?, ?, (SELECT n FROM authors WHERE node_id = ?), ?, ?, ?, ?, ?)`,
    );
    const stored: SyncPost[] = [];
    const interned = new Set<NodeId>();
    let seq = this.head() + 1;
    for (const { post, body } of posts) {
      const { author, timestamp_ms } = post.post;
      if (this.isDeleted(post.id, author)) continue;
      if (!interned.has(author)) intern.run(hexToBytes(author));
      interned.add(author);
      const visibility = JSON.stringify(post.visibility);
      const { changes } = insert.run(
        seq,
        hexToBytes(post.id),
        hexToBytes(author),
        timestamp_ms,
        body,
        hexToBytes(post.signature),
        visibility,
        moreOf({ device_certificate: post.device_certificate }),
      );
      if (changes === 0) continue;
      seq += 1;
      stored.push(post);
    }
    return stored;
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
    const { changes: deleted } = this.#db
      .prepare('DELETE FROM posts WHERE id = ? AND author = (SELECT n FROM authors WHERE node_id = ?)')
      .run(hexToBytes(post_id), hexToBytes(author));
    return { isNew: true, deleted: deleted > 0 };
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
}

export function toSyncPost(row: PostRow): SyncPost {
  return {
    id: postIdFromBytes(row.id),
    post: JSON.parse(row.body) as Post,
    signature: bytesToHex(row.signature),
    visibility: JSON.parse(row.visibility) as SyncPost['visibility'],
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
