import type { Database, NodeId } from '../../kernel/index.ts';

const DAY_MS = 24 * 3_600_000;
/** A watch ends so long after it was registered; asking again meanwhile does not prolong it (SOC-05). */
export const WATCH_EXPIRY_MS = 30 * DAY_MS;
/** From this age on a watcher is told at the daily check only. */
export const WATCH_FRESH_MS = 7 * DAY_MS;
/** After a notice the next return is reported no sooner than this: a node may come and go all day. */
const TOLD_PAUSE_MS = 10 * 60_000;
/** Strangers may ask: each of these is a row at most, and beyond them nobody is registered. */
export const WATCHES_PER_WATCHER_MAX = 256;
export const WATCHERS_PER_TARGET_MAX = 64;
export const WATCHES_MAX = 20_000;

export interface Watch {
  readonly target: NodeId;
  readonly watcher: NodeId;
}

interface Row {
  target: NodeId;
  watcher: NodeId;
  registered_ms: number;
  told_ms: number;
  told_online: number;
}

/** Who asked us about whom, to be told when that node comes back or goes (DB-11). */
export class Watchers {
  readonly #db: Database;
  /** Nobody watches anybody: saves asking at each peer's coming and going. Not known before the first of them. */
  #isEmpty: boolean | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Returns false when a cap kept the watch out. `online` is what the watcher is being told by now. */
  register(target: NodeId, watcher: NodeId, online: boolean, nowMs: number): boolean {
    return this.#db.transaction(() => {
      this.prune(nowMs);
      const known = this.#db
        .prepare('UPDATE reconnect_watchers SET told_online = ? WHERE target = ? AND watcher = ?')
        .run(online ? 1 : 0, target, watcher);
      if (known.changes > 0) return true;
      if (this.count() >= WATCHES_MAX) return false;
      if (this.#count('watcher', watcher) >= WATCHES_PER_WATCHER_MAX) return false;
      if (this.#count('target', target) >= WATCHERS_PER_TARGET_MAX) return false;
      this.#db
        .prepare('INSERT INTO reconnect_watchers (target, watcher, registered_ms, told_online) VALUES (?, ?, ?, ?)')
        .run(target, watcher, nowMs, online ? 1 : 0);
      this.#isEmpty = false;
      return true;
    });
  }

  /** Who is to hear now that `target` came back; marked as told. Those who wait for a week are left to the daily check. */
  takeReturn(target: NodeId, nowMs: number, here: (watcher: NodeId) => boolean): readonly Watch[] {
    return this.#take('target = ? AND told_online = 0', [target], nowMs, true, (row) => {
      return isFresh(row, nowMs) && isRested(row, nowMs) && here(row.watcher);
    });
  }

  /** Of whose return this watcher, who is here now, is still to hear; marked as told. */
  takeReturnsFor(watcher: NodeId, nowMs: number, here: (target: NodeId) => boolean): readonly Watch[] {
    return this.#take('watcher = ? AND told_online = 0', [watcher], nowMs, true, (row) => {
      return isFresh(row, nowMs) && isRested(row, nowMs) && here(row.target);
    });
  }

  /** The daily check: whoever is here and was not told of a node that is here; marked as told. */
  takeDaily(nowMs: number, here: (nodeId: NodeId) => boolean): readonly Watch[] {
    this.prune(nowMs);
    return this.#take('told_online = 0', [], nowMs, true, (row) => {
      return here(row.target) && here(row.watcher);
    });
  }

  /** Who was told that `target` is online and is to hear now that it left; marked as told. */
  takeDeparture(target: NodeId, nowMs: number, here: (watcher: NodeId) => boolean): readonly Watch[] {
    return this.#take('target = ? AND told_online = 1', [target], nowMs, false, (row) => here(row.watcher));
  }

  prune(nowMs: number): void {
    this.#db.prepare('DELETE FROM reconnect_watchers WHERE registered_ms <= ?').run(nowMs - WATCH_EXPIRY_MS);
  }

  count(): number {
    return this.#db.prepare<{ n: number }>('SELECT count(*) AS n FROM reconnect_watchers').get()?.n ?? 0;
  }

  #count(side: 'watcher' | 'target', nodeId: NodeId): number {
    const sql = `SELECT count(*) AS n FROM reconnect_watchers WHERE ${side} = ?`;
    return this.#db.prepare<{ n: number }>(sql).get(nodeId)?.n ?? 0;
  }

  #take(
    where: string,
    params: readonly string[],
    nowMs: number,
    online: boolean,
    chosen: (row: Row) => boolean,
  ): readonly Watch[] {
    this.#isEmpty ??= this.count() === 0;
    if (this.#isEmpty) return [];
    const rows = this.#db
      .prepare<Row>(`SELECT * FROM reconnect_watchers WHERE ${where} AND registered_ms > ? ORDER BY registered_ms`)
      .all(...params, nowMs - WATCH_EXPIRY_MS)
      .filter(chosen);
    if (rows.length === 0) return [];
    const mark = this.#db.prepare(
      'UPDATE reconnect_watchers SET told_ms = ?, told_online = ? WHERE target = ? AND watcher = ?',
    );
    this.#db.transaction(() => {
      for (const { target, watcher } of rows) mark.run(nowMs, online ? 1 : 0, target, watcher);
    });
    return rows.map(({ target, watcher }) => ({ target, watcher }));
  }
}

function isFresh({ registered_ms }: Row, nowMs: number): boolean {
  return nowMs - registered_ms < WATCH_FRESH_MS;
}

function isRested({ told_ms }: Row, nowMs: number): boolean {
  return nowMs - told_ms >= TOLD_PAUSE_MS;
}
