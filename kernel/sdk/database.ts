/** What SQLite takes and returns. Integers beyond 2^53 never occur in our tables. */
export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/** A prepared statement. Synchronous: SQLite is in this process. */
export interface Statement<Row = unknown> {
  get(...params: SqlValue[] | [Readonly<Record<string, SqlValue>>]): Row | undefined;
  all(...params: SqlValue[] | [Readonly<Record<string, SqlValue>>]): Row[];
  run(...params: SqlValue[] | [Readonly<Record<string, SqlValue>>]): {
    changes: number;
    lastInsertRowid: number | bigint;
  };
}

/**
 * A plugin's door to `itsgoin.db`. A plugin reads and writes the tables that its own migrations made;
 * what it needs of another plugin it asks through that plugin's `api.ts`.
 *
 * @throws store/disk-full, store/read-only, store/busy instead of SQLite's own errors.
 */
export interface Database {
  /** Prepares once and caches by text. */
  prepare<Row = unknown>(sql: string): Statement<Row>;
  /**
   * Runs `work` in one transaction (a savepoint when nested): all of it is stored when this returns, or
   * nothing of it when it throws. Stored means that later statements see it and that it survives the end
   * of this process, however that comes; a loss of power only from {@link synced} on. `work` must not be async.
   */
  transaction<R>(work: () => R): R;
  /**
   * Resolves when everything committed before the call survives a loss of power. Whoever tells the user or a
   * peer that something is stored awaits this, or {@link GroupCommit.run}, which does
   * (docs/decisions/commits-off-the-event-loop.md).
   *
   * @throws store/io-failed when the disk did not take it; the store refuses everything then, and the node stops
   */
  synced(): Promise<void>;
  /**
   * What a bulk write waits for before it begins: set while the write-ahead log is long and being copied into
   * the database. Never rejects. {@link GroupCommit} heeds it; a single statement need not.
   */
  readonly congestion: Promise<void> | undefined;
}

/**
 * One step of a plugin's schema. `expand` steps only add (tables, nullable columns, indices), so the
 * running generation is not disturbed when they are applied ahead of a swap; `contract` steps remove
 * and are applied at the next start.
 */
export interface Migration {
  /** `0001-name`; applied in order of id, once, recorded per plugin. */
  readonly id: string;
  readonly kind: 'expand' | 'contract';
  readonly sql: string;
  /** Tables that are this plugin's from now on though another one made them, where they are there already. */
  readonly adopts?: readonly string[];
}
