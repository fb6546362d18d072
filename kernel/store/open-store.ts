import type Sqlite from 'better-sqlite3';
import type { Clock } from '../sdk/clock.ts';
import type { Database, Migration } from '../sdk/database.ts';
import type { Log } from '../sdk/log.ts';
import { CHECKPOINT_LIMITS, Checkpointer, type CheckpointLimits } from './checkpointer.ts';
import { Confinement } from './confinement.ts';
import { openConnection } from './connection.ts';
import { Migrator } from './migrations.ts';
import { type Disk, OwnerDatabase } from './owner-database.ts';
import { explainFile, explainSqlite } from './sqlite-errors.ts';
import type { Store } from './store.ts';
import { measureTables, type TableSize } from './table-sizes.ts';
import { Transactions } from './transactions.ts';
import { WalSync } from './wal-sync.ts';

export interface StoreOptions {
  /** The database file; its directory is made if missing. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * False leaves out whatever makes commits survive a crash, and keeps other programs out: several times
   * faster, for a simulation whose machines only pretend to have disks. Default true. On a virtual clock, which
   * would run on meanwhile, `synced()` resolves at once in any case.
   */
  readonly durable?: boolean;
  /** A test makes them small. */
  readonly checkpoints?: CheckpointLimits;
  /** The disk did not take what was committed: the store refuses everything from now on. Called once at most. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Opens or makes the node's database.
 *
 * @throws store/newer-schema, store/corrupt, store/read-only, store/busy, store/disk-full
 */
export function openStore(options: StoreOptions): Store {
  const { path, durable = true } = options;
  const connection = openConnection(path, durable);
  try {
    return new SqliteStore(connection, { durable, checkpoints: CHECKPOINT_LIMITS, onFailure() {}, ...options });
  } catch (error) {
    connection.close();
    throw explainFile(error, path) ?? error;
  }
}

class SqliteStore implements Store, Disk {
  readonly #connection: Sqlite.Database;
  readonly #path: string;
  readonly #log: Log;
  readonly #transactions: Transactions;
  readonly #migrator: Migrator;
  readonly #confinement: Confinement;
  /** Neither where nobody waits for the disk. */
  readonly #sync: WalSync | undefined;
  readonly #checkpointer: Checkpointer | undefined;
  /** One per owner: plugins and kernel parts, so their number is that of the loaded code. */
  readonly #databases = new Map<string, Database>();
  #failed = false;
  #closing: Promise<void> | undefined;

  constructor(connection: Sqlite.Database, options: Required<StoreOptions>) {
    const { path, log, clock, durable, checkpoints, onFailure } = options;
    this.#connection = connection;
    this.#path = path;
    this.#log = log;
    this.#transactions = new Transactions(connection, path, () => this.#checkpointer?.committed());
    this.#confinement = new Confinement(connection);
    this.#migrator = new Migrator(connection, this.#transactions, this.#confinement, path, clock);
    if (!durable || clock.virtual === true) return;
    this.#checkpointer = new Checkpointer(connection, path, log, clock, checkpoints);
    this.#sync = new WalSync(`${path}-wal`, (error) => {
      this.#failed = true;
      this.#transactions.fail(error);
      void this.#checkpointer?.close();
      onFailure(error);
    });
  }

  synced(): Promise<void> {
    return this.#sync?.synced() ?? Promise.resolve();
  }

  get congestion(): Promise<void> | undefined {
    return this.#checkpointer?.congestion;
  }

  database(owner: string): Database {
    let database = this.#databases.get(owner);
    if (database === undefined) {
      database = new OwnerDatabase(owner, this.#connection, this.#transactions, this.#confinement, this);
      this.#databases.set(owner, database);
    }
    return database;
  }

  confine(owner: string): void {
    this.#confinement.confine(owner);
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

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const ended = this.#checkpointer?.close();
    if (ended !== undefined) await ended;
    if (this.#sync?.busy === true) await this.#sync.drained();
    this.#sync?.close();
    try {
      // After a failed sync the log is all there is.
      if (!this.#failed) this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // The WAL stays and is read at the next start: nothing is lost.
      this.#log.warn('checkpoint-failed', { error: explainSqlite(error, this.#path) });
    }
    this.#connection.close();
  }
}
