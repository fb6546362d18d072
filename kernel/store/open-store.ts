import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import type { Clock } from '../sdk/clock.ts';
import type { Database, Migration } from '../sdk/database.ts';
import type { Log } from '../sdk/log.ts';
import { checkKernelSchema, Migrator, prepareKernelSchema } from './migrations.ts';
import { openPrivate } from './open-private.ts';
import { OwnerDatabase } from './owner-database.ts';
import { explainFile, explainSqlite } from './sqlite-errors.ts';
import type { Store } from './store.ts';
import { measureTables, type TableSize } from './table-sizes.ts';
import { Transactions } from './transactions.ts';

/** How long we wait, blocking, for another program that has the file open. The loop must not stop longer. */
const BUSY_WAIT_MS = 50;
/** What a WAL that once grew large is cut back to when it is reset. */
const WAL_KEEP_BYTES = 16 * 1024 * 1024;

export interface StoreOptions {
  /** The database file; its directory is made if missing. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * False leaves out whatever makes commits survive a crash, and keeps other programs out: several times
   * faster, for a simulation whose machines only pretend to have disks. Default true.
   */
  readonly durable?: boolean;
}

/**
 * Opens or makes the node's database: WAL, every commit on disk before it returns.
 *
 * @throws store/newer-schema, store/corrupt, store/read-only, store/busy, store/disk-full
 */
export function openStore({ path, log, clock, durable = true }: StoreOptions): Store {
  const connection = connect(path, durable);
  return new SqliteStore(connection, path, log, clock);
}

function connect(path: string, durable: boolean): Sqlite.Database {
  let connection: Sqlite.Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    connection = openPrivate(path, { timeout: BUSY_WAIT_MS });
    checkKernelSchema(connection, path);
    if (!durable) connection.pragma('locking_mode = EXCLUSIVE');
    connection.pragma(`journal_mode = ${durable ? 'WAL' : 'MEMORY'}`);
    // SQLite is built with NORMAL for WAL here, which loses the last commits when the power goes.
    connection.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`);
    connection.pragma('foreign_keys = ON');
    connection.pragma('temp_store = MEMORY');
    connection.pragma(`journal_size_limit = ${WAL_KEEP_BYTES}`);
    prepareKernelSchema(connection);
    return connection;
  } catch (error) {
    connection?.close();
    throw explainFile(error, path) ?? explainSqlite(error, path);
  }
}

class SqliteStore implements Store {
  readonly #connection: Sqlite.Database;
  readonly #path: string;
  readonly #log: Log;
  readonly #transactions: Transactions;
  readonly #migrator: Migrator;
  /** One per owner: plugins and kernel parts, so their number is that of the loaded code. */
  readonly #databases = new Map<string, Database>();

  constructor(connection: Sqlite.Database, path: string, log: Log, clock: Clock) {
    this.#connection = connection;
    this.#path = path;
    this.#log = log;
    this.#transactions = new Transactions(connection, path);
    this.#migrator = new Migrator(connection, this.#transactions, path, clock);
  }

  database(owner: string): Database {
    let database = this.#databases.get(owner);
    if (database === undefined) {
      database = new OwnerDatabase(owner, this.#connection, this.#transactions);
      this.#databases.set(owner, database);
    }
    return database;
  }

  migrate(owner: string, migrations: readonly Migration[], kinds: readonly Migration['kind'][]): readonly string[] {
    const applied = this.#migrator.migrate(owner, migrations, kinds);
    if (applied.length > 0) this.#log.info('migrated', { owner, steps: applied });
    return applied;
  }

  takeBack(owner: string, ids: readonly string[]): void {
    this.#migrator.takeBack(owner, ids);
  }

  tableSizes(owner: string): readonly TableSize[] {
    return this.#transactions.guard(() => measureTables(this.#connection, owner));
  }

  integrityCheck(): readonly string[] {
    try {
      const rows = this.#connection.pragma('integrity_check') as { integrity_check: string }[];
      return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
    } catch (error) {
      const explained = explainSqlite(error, this.#path);
      return [explained instanceof Error ? explained.message : String(explained)];
    }
  }

  close(): void {
    if (!this.#connection.open) return;
    try {
      this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // The WAL stays and is read at the next start: nothing is lost.
      this.#log.warn('checkpoint-failed', { error: explainSqlite(error, this.#path) });
    }
    this.#connection.close();
  }
}
