import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { checkKernelSchema, prepareKernelSchema } from './migrations.ts';
import { openPrivate } from './open-private.ts';
import { explainFile, explainSqlite } from './sqlite-errors.ts';

/** How long we wait, blocking, for another program that has the file open. The loop must not stop longer. */
const BUSY_WAIT_MS = 50;
/** What a WAL that once grew large is cut back to when it is reset; above what it has in a bulk write, or each reset would cut it. */
const WAL_KEEP_BYTES = 40 * 1024 * 1024;

/**
 * Opens or makes the database file, with the kernel's tables in it: the connection that reads and writes.
 * Commits survive this process; `WalSync` makes them survive a loss of power.
 *
 * @throws store/newer-schema, store/corrupt, store/read-only, store/busy, store/disk-full
 */
export function openConnection(path: string, durable: boolean): Sqlite.Database {
  let connection: Sqlite.Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    connection = openPrivate(path, { timeout: BUSY_WAIT_MS });
    checkKernelSchema(connection, path);
    if (!durable) connection.pragma('locking_mode = EXCLUSIVE');
    connection.pragma(`journal_mode = ${durable ? 'WAL' : 'MEMORY'}`);
    // FULL would sync each commit on the event loop; OFF would let the log overtake the database it is copied to.
    connection.pragma(`synchronous = ${durable ? 'NORMAL' : 'OFF'}`);
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

/** A further connection, for checkpoints alone, to a file whose writing connection is open. */
export function openCheckpointConnection(path: string): Sqlite.Database {
  const connection = new Sqlite(path, { fileMustExist: true, timeout: BUSY_WAIT_MS });
  connection.pragma('synchronous = NORMAL');
  return connection;
}
