import type { AddressBlock, Database, NodeId } from '../../kernel/index.ts';
import { BlockRows, blocksColumns } from '../../kernel/index.ts';
import { socialErrors } from './errors.ts';

/** All there are; who has not been heard of for longest makes room. */
export const FOLLOWERS_MAX = 100_000;
/** Whom the user blocked; an own decision each. */
const BLOCKED_MAX = 10_000;
const DAY_MS = 86_400_000;
/** A follower heard of within this time is not dropped for a new one of its own address: it may be a neighbour. */
const FRESH_MS = DAY_MS;
/** One unheard of for this long is dropped when room is needed at all. */
const STALE_MS = 30 * DAY_MS;
/** How exactly it is known when a follower was heard of: not each connection need be written down. */
const HEARD_EVERY_MS = 3_600_000;

/** What became of a node's word that it follows the user. `share`: its address has its share of followers. */
export type Heard = 'changed' | 'same' | 'full' | 'share' | 'blocked';

interface Row {
  readonly node_id: NodeId;
  readonly since_ms: number;
  readonly heard_ms: number;
}

/**
 * Who follows the user, as each said itself. Anybody can invent followers, so each address block has a share of
 * them, and who was not heard of for long makes room. Nothing is held in memory: there may be a hundred thousand.
 */
export class Followers {
  readonly #db: Database;
  readonly #rows: BlockRows;

  /** `isKept` names those who make room for nobody: whom the user follows. */
  constructor(db: Database, isKept: (nodeId: NodeId) => boolean) {
    this.#db = db;
    this.#rows = new BlockRows(db, 'followers', 'heard_ms', (nodeId) => !isKept(nodeId));
  }

  has(nodeId: NodeId): boolean {
    return this.#row(nodeId) !== undefined;
  }

  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM followers').get()?.n ?? 0;
  }

  latest(limit: number): readonly { readonly nodeId: NodeId; readonly sinceMs: number }[] {
    return this.#db
      .prepare<Row>('SELECT node_id, since_ms FROM followers ORDER BY since_ms DESC, node_id LIMIT ?')
      .all(limit)
      .map((row) => ({ nodeId: row.node_id, sinceMs: row.since_ms }));
  }

  /** What a node told of itself; `blocks` are those of the address it told it from, of `share` followers each. */
  heard(nodeId: NodeId, following: boolean, nowMs: number, blocks: readonly AddressBlock[], share: number): Heard {
    const row = this.#row(nodeId);
    if (!following) return this.remove(nodeId) ? 'changed' : 'same';
    if (this.isBlocked(nodeId)) return 'blocked';
    const { block, site } = blocksColumns(blocks);
    if (row !== undefined) {
      if (nowMs - row.heard_ms >= HEARD_EVERY_MS) {
        this.#db
          .prepare('UPDATE followers SET heard_ms = ?, block = ?, site = ? WHERE node_id = ?')
          .run(nowMs, block, site, nodeId);
      }
      return 'same';
    }
    return this.#db.transaction(() => {
      if (!this.#rows.makeRoom(blocks, share, nowMs - FRESH_MS)) return 'share';
      if (this.count() >= FOLLOWERS_MAX && !this.#rows.dropOldest('heard_ms < ?', [nowMs - STALE_MS])) return 'full';
      this.#db
        .prepare('INSERT INTO followers (node_id, since_ms, heard_ms, block, site) VALUES (?, ?, ?, ?, ?)')
        .run(nodeId, nowMs, nowMs, block, site);
      return 'changed';
    });
  }

  /** False when it was none. */
  remove(nodeId: NodeId): boolean {
    return this.#db.prepare('DELETE FROM followers WHERE node_id = ?').run(nodeId).changes > 0;
  }

  /** Removes it, now and whenever it says that it follows. @throws social/too-many-blocked */
  block(nodeId: NodeId, nowMs: number): boolean {
    return this.#db.transaction(() => {
      const count = this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM followers_blocked').get()?.n ?? 0;
      if (count >= BLOCKED_MAX) throw socialErrors.make('too-many-blocked', { count });
      this.#db
        .prepare('INSERT OR IGNORE INTO followers_blocked (node_id, blocked_at_ms) VALUES (?, ?)')
        .run(nodeId, nowMs);
      return this.remove(nodeId);
    });
  }

  /** False when it was not blocked. */
  unblock(nodeId: NodeId): boolean {
    return this.#db.prepare('DELETE FROM followers_blocked WHERE node_id = ?').run(nodeId).changes > 0;
  }

  isBlocked(nodeId: NodeId): boolean {
    return this.#db.prepare('SELECT 1 FROM followers_blocked WHERE node_id = ?').get(nodeId) !== undefined;
  }

  blocked(limit: number): readonly NodeId[] {
    return this.#db
      .prepare<Row>('SELECT node_id FROM followers_blocked ORDER BY blocked_at_ms DESC, node_id LIMIT ?')
      .all(limit)
      .map(({ node_id }) => node_id);
  }

  #row(nodeId: NodeId): Row | undefined {
    return this.#db.prepare<Row>('SELECT node_id, since_ms, heard_ms FROM followers WHERE node_id = ?').get(nodeId);
  }
}
