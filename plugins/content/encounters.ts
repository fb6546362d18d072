import { hexToBytes } from '../../kernel/index.ts';
import type { Database, NodeId } from '../../kernel/index.ts';

/**
 * Self Last Encounter: when all that a person had published was last known to be here. That is the time
 * of the last successful sync with it, or of its newest file as any holder's header tells (SYNC-05, -06).
 * A row for each followee at most.
 */
export class Encounters {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** 0 when there was none. */
  lastMs(nodeId: NodeId): number {
    const sql = 'SELECT encounter_ms FROM encounters WHERE peer = ?';
    return this.#db.prepare<{ encounter_ms: number }>(sql).get(hexToBytes(nodeId))?.encounter_ms ?? 0;
  }

  /** The newer time stands, and none is from the future: a lie can put off a pull by one threshold at most. */
  met(nodeId: NodeId, atMs: number, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO encounters (peer, encounter_ms) VALUES (?, ?)
         ON CONFLICT (peer) DO UPDATE SET encounter_ms = min(max(encounter_ms, excluded.encounter_ms), ?)`,
      )
      .run(hexToBytes(nodeId), Math.min(atMs, nowMs), nowMs);
  }

  forget(nodeId: NodeId): void {
    this.#db.prepare('DELETE FROM encounters WHERE peer = ?').run(hexToBytes(nodeId));
  }
}
