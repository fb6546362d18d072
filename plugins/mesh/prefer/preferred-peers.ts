import type { Clock, Database, NodeId } from '../../../kernel/index.ts';

/** CONN-08: a preferred peer that was not reached for so long loses its place. */
export const PREFERRED_LOST_MS = 7 * 24 * 3_600_000;

export interface PreferredPeer {
  readonly nodeId: NodeId;
  readonly agreedAtMs: number;
  readonly lastReachedMs: number;
}

interface Row {
  node_id: NodeId;
  agreed_at_ms: number;
  last_reached_ms: number;
}

/** The table `preferred_peers`: agreements that both sides made (PREF-01, PREF-03). */
export class PreferredPeers {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #peers: Map<NodeId, PreferredPeer>;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    const rows = db.prepare<Row>('SELECT * FROM preferred_peers ORDER BY agreed_at_ms, node_id').all();
    this.#peers = new Map(
      rows.map((row) => [
        row.node_id,
        { nodeId: row.node_id, agreedAtMs: row.agreed_at_ms, lastReachedMs: row.last_reached_ms },
      ]),
    );
  }

  get size(): number {
    return this.#peers.size;
  }

  has(nodeId: NodeId): boolean {
    return this.#peers.has(nodeId);
  }

  get(nodeId: NodeId): PreferredPeer | undefined {
    return this.#peers.get(nodeId);
  }

  /** The oldest agreement first. */
  all(): readonly PreferredPeer[] {
    return [...this.#peers.values()];
  }

  add(nodeId: NodeId): void {
    if (this.#peers.has(nodeId)) return;
    const now = this.#clock.now();
    this.#db
      .prepare('INSERT INTO preferred_peers (node_id, agreed_at_ms, last_reached_ms) VALUES (?, ?, ?)')
      .run(nodeId, now, now);
    this.#peers.set(nodeId, { nodeId, agreedAtMs: now, lastReachedMs: now });
  }

  /** It is or was connected at this moment. */
  reached(nodeId: NodeId): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return;
    const lastReachedMs = this.#clock.now();
    this.#db.prepare('UPDATE preferred_peers SET last_reached_ms = ? WHERE node_id = ?').run(lastReachedMs, nodeId);
    this.#peers.set(nodeId, { ...peer, lastReachedMs });
  }

  remove(nodeId: NodeId): boolean {
    this.#db.prepare('DELETE FROM preferred_peers WHERE node_id = ?').run(nodeId);
    return this.#peers.delete(nodeId);
  }
}
