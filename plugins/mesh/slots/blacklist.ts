import type { Clock, Database, NodeId } from '../../../kernel/index.ts';
import { meshErrors } from '../errors.ts';

/** Beyond it nothing more is added: each one is a person's own decision. */
export const BLACKLIST_MAX = 1_000;

/**
 * Nodes that get no mesh slot here (MESH-08). As a slot needs both sides, one side's entry is enough to
 * keep the pair apart in the mesh; sessions are not touched.
 */
export class Blacklist {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #ids: Set<NodeId>;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    const rows = db.prepare<{ node_id: NodeId }>('SELECT node_id FROM mesh_blacklist ORDER BY node_id').all();
    this.#ids = new Set(rows.map(({ node_id }) => node_id));
  }

  has(nodeId: NodeId): boolean {
    return this.#ids.has(nodeId);
  }

  all(): readonly NodeId[] {
    return [...this.#ids];
  }

  /** @throws mesh/blacklist-full */
  add(nodeId: NodeId): void {
    if (this.#ids.has(nodeId)) return;
    if (this.#ids.size >= BLACKLIST_MAX) throw meshErrors.make('blacklist-full', { max: BLACKLIST_MAX });
    this.#db.prepare('INSERT INTO mesh_blacklist (node_id, added_at_ms) VALUES (?, ?)').run(nodeId, this.#clock.now());
    this.#ids.add(nodeId);
  }

  remove(nodeId: NodeId): boolean {
    this.#db.prepare('DELETE FROM mesh_blacklist WHERE node_id = ?').run(nodeId);
    return this.#ids.delete(nodeId);
  }
}
