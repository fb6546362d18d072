import { BlockRows, blocksColumns } from '../../kernel/index.ts';
import type { AddressBlock, Database, NodeId } from '../../kernel/index.ts';
import type { ProfileRecord } from './profile-record.ts';

/** Profiles kept; beyond it those longest without news go, never the user's own or those followed. */
export const PROFILES_MAX = 10_000;
const PRUNED_AT_ONCE = 100;

interface Row {
  node_id: NodeId;
  name: string;
  bio: string;
  timestamp_ms: number;
  signature: string;
  anchors: string;
  /** See migration 0005. */
  more: string | null;
}

/** The newest verified profile of each node (DB-04). */
export class Profiles {
  readonly #db: Database;
  readonly #own: NodeId;
  readonly #rows: BlockRows;

  constructor(db: Database, own: NodeId) {
    this.#db = db;
    this.#own = own;
    this.#rows = new BlockRows(db, 'profiles', 'received_ms', (nodeId) => this.#mayGo(nodeId));
  }

  get(nodeId: NodeId): ProfileRecord | undefined {
    const row = this.#db.prepare<Row>('SELECT * FROM profiles WHERE node_id = ?').get(nodeId);
    if (row === undefined) return undefined;
    const { name, bio, timestamp_ms, signature } = row;
    const anchors = JSON.parse(row.anchors) as string[];
    const more = row.more === null ? {} : (JSON.parse(row.more) as object);
    const record = { author: row.node_id, name, bio, timestamp_ms, signature, ...more };
    return anchors.length === 0 ? record : { ...record, anchors };
  }

  /**
   * Stores a verified record unless the known one is as new; says whether it did. A stranger's counts for the blocks
   * of its address, of which each has `share`: a new one takes the place of the one without news for longest there.
   */
  store(record: ProfileRecord, nowMs: number, blocks: readonly AddressBlock[] = [], share = PROFILES_MAX): boolean {
    const { author, name, bio, anchors = [], timestamp_ms, signature, ...more } = record;
    return this.#db.transaction(() => {
      const known = this.get(author);
      if (known !== undefined && known.timestamp_ms >= timestamp_ms) return false;
      if (known === undefined) {
        if (!this.#rows.makeRoom(blocks, share, nowMs)) return false;
        if (this.count() >= PROFILES_MAX) this.#prune();
      }
      const { block, site } = blocksColumns(blocks);
      this.#db
        .prepare(
          `INSERT INTO profiles (node_id, name, bio, anchors, timestamp_ms, signature, more, received_ms, block, site)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (node_id) DO UPDATE SET name = excluded.name, bio = excluded.bio, anchors = excluded.anchors,
             timestamp_ms = excluded.timestamp_ms, signature = excluded.signature, more = excluded.more,
             received_ms = excluded.received_ms, block = excluded.block, site = excluded.site`,
        )
        .run(
          author,
          name,
          bio,
          JSON.stringify(anchors),
          timestamp_ms,
          signature,
          Object.keys(more).length === 0 ? null : JSON.stringify(more),
          nowMs,
          block,
          site,
        );
      return true;
    });
  }

  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM profiles').get()?.n ?? 0;
  }

  #mayGo(nodeId: NodeId): boolean {
    return (
      nodeId !== this.#own && this.#db.prepare('SELECT 1 FROM follows WHERE node_id = ?').get(nodeId) === undefined
    );
  }

  #prune(): void {
    this.#db
      .prepare(
        `DELETE FROM profiles WHERE node_id IN (SELECT node_id FROM profiles
           WHERE node_id <> ? AND node_id NOT IN (SELECT node_id FROM follows)
           ORDER BY received_ms LIMIT ${PRUNED_AT_ONCE})`,
      )
      .run(this.#own);
  }
}
