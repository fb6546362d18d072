import type { Database } from '../../kernel/index.ts';
import type { WormTarget } from './api.ts';

/** WORM_COOLDOWN: how long a target that was not found is left alone. */
export const WORM_COOLDOWN_MS = 300_000;
/** Misses remembered; beyond it the oldest goes. */
const MISSES_MAX = 10_000;

/** Misses, on disk: a restart in between does not shorten their time (WORM-10). */
export class Cooldown {
  readonly #read;
  readonly #write;
  readonly #delete;
  readonly #expire;
  readonly #trim;

  constructor(db: Database) {
    this.#read = db.prepare<{ missed_ms: number }>(
      'SELECT missed_ms FROM worm_cooldown WHERE kind = ? AND target_id = ?',
    );
    this.#write = db.prepare('INSERT OR REPLACE INTO worm_cooldown (kind, target_id, missed_ms) VALUES (?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM worm_cooldown WHERE kind = ? AND target_id = ?');
    this.#expire = db.prepare('DELETE FROM worm_cooldown WHERE missed_ms <= ? OR missed_ms > ?');
    this.#trim = db.prepare(
      'DELETE FROM worm_cooldown WHERE missed_ms <= (SELECT missed_ms FROM worm_cooldown ORDER BY missed_ms DESC LIMIT 1 OFFSET ?)',
    );
  }

  /** How long the target is still to be left alone, in ms; 0 when it may be searched for. */
  leftMs({ kind, id }: WormTarget, nowMs: number): number {
    const missedMs = this.#read.get(kind, id)?.missed_ms;
    // A miss in the future is of a clock that was set back since.
    if (missedMs === undefined || missedMs > nowMs) return 0;
    return Math.max(0, missedMs + WORM_COOLDOWN_MS - nowMs);
  }

  missed({ kind, id }: WormTarget, nowMs: number): void {
    this.#expire.run(nowMs - WORM_COOLDOWN_MS, nowMs);
    this.#write.run(kind, id, nowMs);
    this.#trim.run(MISSES_MAX);
  }

  found({ kind, id }: WormTarget): void {
    this.#delete.run(kind, id);
  }
}
