import type { Database, NodeId } from '../../kernel/index.ts';
import { socialErrors } from './errors.ts';

/** Far more than a person reads; each one is redialled and synced. */
export const FOLLOWS_MAX = 5_000;
/** Strangers can invent followers; above it new ones are not recorded. */
export const FOLLOWERS_MAX = 100_000;

interface FollowerRow {
  node_id: NodeId;
  since_ms: number;
}

/** Who follows whom, from the user's place: both directions, each known to us first-hand only. */
export class Relations {
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

  latestFollowers(limit: number): readonly { readonly nodeId: NodeId; readonly sinceMs: number }[] {
    return this.#db
      .prepare<FollowerRow>('SELECT node_id, since_ms FROM followers ORDER BY since_ms DESC, node_id LIMIT ?')
      .all(limit)
      .map((row) => ({ nodeId: row.node_id, sinceMs: row.since_ms }));
  }

  isFollower(nodeId: NodeId): boolean {
    return this.#db.prepare('SELECT 1 FROM followers WHERE node_id = ?').get(nodeId) !== undefined;
  }

  /** What a node told of itself. Returns `changed`, `same`, or `full` when it was not recorded. */
  setFollower(nodeId: NodeId, following: boolean, nowMs: number): 'changed' | 'same' | 'full' {
    if (this.isFollower(nodeId) === following) return 'same';
    if (!following) {
      this.#db.prepare('DELETE FROM followers WHERE node_id = ?').run(nodeId);
      return 'changed';
    }
    if (this.countFollowers() >= FOLLOWERS_MAX) return 'full';
    this.#db.prepare('INSERT INTO followers (node_id, since_ms) VALUES (?, ?)').run(nodeId, nowMs);
    return 'changed';
  }

  countFollowers(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM followers').get()?.n ?? 0;
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
