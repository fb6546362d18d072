import { hexToBytes, nodeIdFromBytes } from '../../kernel/index.ts';
import type { Database, NodeId } from '../../kernel/index.ts';

/**
 * How far we have read each author in each peer's log. Kept per author, not per peer, so that someone
 * newly followed is read from the start though the peer is known for years.
 */
export class SyncCursors {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The log the peer's markers belong to; `undefined` before the first answer. */
  logOf(peer: NodeId): string | undefined {
    return this.#db.prepare<{ log: string }>('SELECT log FROM sync_peers WHERE peer = ?').get(hexToBytes(peer))?.log;
  }

  of(peer: NodeId): Map<NodeId, number> {
    const rows = this.#db
      .prepare<{ author: Uint8Array; since: number }>('SELECT author, since FROM sync_cursors WHERE peer = ?')
      .all(hexToBytes(peer));
    return new Map(rows.map((row) => [nodeIdFromBytes(row.author), row.since]));
  }

  /** To be called in the transaction that stores what the markers cover, or in a later one. */
  save(peer: NodeId, log: string, moved: ReadonlyMap<NodeId, number>): void {
    const key = hexToBytes(peer);
    if (this.logOf(peer) !== log) {
      this.#db.prepare('DELETE FROM sync_cursors WHERE peer = ?').run(key);
      this.#db.prepare('INSERT OR REPLACE INTO sync_peers (peer, log) VALUES (?, ?)').run(key, log);
    }
    const put = this.#db.prepare('INSERT OR REPLACE INTO sync_cursors (peer, author, since) VALUES (?, ?, ?)');
    for (const [author, since] of moved) put.run(key, hexToBytes(author), since);
  }

  /** Someone is not followed any more: as an author it will be read anew, as a source no more. */
  forget(nodeId: NodeId): void {
    const key = hexToBytes(nodeId);
    this.#db.prepare('DELETE FROM sync_cursors WHERE peer = ? OR author = ?').run(key, key);
    this.#db.prepare('DELETE FROM sync_peers WHERE peer = ?').run(key);
  }
}
