import type { Database, NodeId } from '../../kernel/index.ts';
import { socialErrors } from './errors.ts';

/** Far more than a person reads; each one is redialled and synced. */
export const FOLLOWS_MAX = 5_000;
/** Whom the user follows. */
export class Follows {
  readonly #db: Database;
  /** Read at first use, which is after the commit: before it an older generation may still write. */
  #follows: Map<NodeId, number> | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  follows(): readonly NodeId[] {
    return [...this.#loaded().keys()];
  }

  isFollowing(nodeId: NodeId): boolean {
    return this.#loaded().has(nodeId);
  }

  followedAtMs(nodeId: NodeId): number | undefined {
    return this.#loaded().get(nodeId);
  }

  /** False when it was followed already. @throws social/too-many-follows */
  follow(nodeId: NodeId, nowMs: number): boolean {
    const follows = this.#loaded();
    if (follows.has(nodeId)) return false;
    if (follows.size >= FOLLOWS_MAX) throw socialErrors.make('too-many-follows', { count: follows.size });
    this.#db.prepare('INSERT INTO follows (node_id, followed_at_ms) VALUES (?, ?)').run(nodeId, nowMs);
    follows.set(nodeId, nowMs);
    return true;
  }

  /** False when it was not followed. */
  unfollow(nodeId: NodeId): boolean {
    if (!this.#loaded().has(nodeId)) return false;
    this.#db.prepare('DELETE FROM follows WHERE node_id = ?').run(nodeId);
    this.#loaded().delete(nodeId);
    return true;
  }

  #loaded(): Map<NodeId, number> {
    this.#follows ??= new Map(
      this.#db
        .prepare<{ node_id: NodeId; followed_at_ms: number }>('SELECT * FROM follows ORDER BY followed_at_ms, node_id')
        .all()
        .map((row) => [row.node_id, row.followed_at_ms]),
    );
    return this.#follows;
  }
}
