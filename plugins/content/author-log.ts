import { postIdFromBytes } from './post-id.ts';
import { hexToBytes } from '../../kernel/index.ts';
import type { PostId } from './post-id.ts';
import type { Database, NodeId } from '../../kernel/index.ts';
import type { DeleteRecord } from './delete-record.ts';
import { toDeleteRecord, toSyncPost } from './post-store.ts';
import type { SyncPost } from './post.ts';

/** One thing that happened to an author's posts here, in the order of arrival. */
export type LogEntry =
  | { readonly seq: number; readonly bytes: number; readonly post: SyncPost }
  | { readonly seq: number; readonly bytes: number; readonly id: PostId }
  | { readonly seq: number; readonly bytes: number; readonly deleted: DeleteRecord };

interface Row {
  readonly seq: number;
  readonly id: Uint8Array;
  readonly body: string | null;
  readonly signature: Uint8Array;
  readonly visibility: string | null;
  readonly timestamp_ms: number;
  readonly more: string | null;
}

const POSTS = `SELECT seq, id, body, signature, visibility, timestamp_ms, more FROM posts
  WHERE author = (SELECT n FROM authors WHERE node_id = ?) AND seq > ?`;
const IDS = `SELECT seq, id, '' AS body, signature, NULL AS visibility, timestamp_ms, NULL AS more FROM posts
  WHERE author = (SELECT n FROM authors WHERE node_id = ?) AND seq > ?`;
const DELETES = `SELECT seq, post_id, NULL, signature, NULL, timestamp_ms, more FROM deleted_posts
  WHERE author = ? AND seq > ?`;
/** Hex id, signature, author and the keys around a post on the wire. */
const ENVELOPE_BYTES = 400;

/** Reads what reached this node of an author after a marker: the answering side of pull sync. */
export class AuthorLog {
  readonly #db: Database;
  /** Names this database's sequence; markers of another one mean nothing here. */
  readonly id: string;

  constructor(db: Database) {
    this.#db = db;
    this.id = db.prepare<{ id: string }>('SELECT id FROM sync_log').get()?.id ?? '';
  }

  /** The next entries after `since`, at most `limit`; posts as ids alone when `idsOnly`. */
  read(author: NodeId, since: number, limit: number, idsOnly: boolean): LogEntry[] {
    const sql = `${idsOnly ? IDS : POSTS} UNION ALL ${DELETES} ORDER BY seq LIMIT ?`;
    const key = hexToBytes(author);
    return this.#db
      .prepare<Row>(sql)
      .all(key, since, key, since, limit)
      .map((row) => toEntry(row, author, idsOnly));
  }
}

function toEntry(row: Row, author: NodeId, idsOnly: boolean): LogEntry {
  const { seq } = row;
  const bytes = ENVELOPE_BYTES + (row.more?.length ?? 0);
  if (row.body === null) {
    const deleted = toDeleteRecord({ ...row, post_id: row.id, author: hexToBytes(author) });
    return { seq, bytes, deleted };
  }
  if (idsOnly) return { seq, bytes: ENVELOPE_BYTES, id: postIdFromBytes(row.id) };
  const post = toSyncPost({ ...row, author: hexToBytes(author), body: row.body, visibility: row.visibility ?? '' });
  return { seq, bytes: Buffer.byteLength(row.body) + bytes, post };
}
