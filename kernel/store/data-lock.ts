import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { storeErrors } from './errors.ts';
import { openPrivate } from './open-private.ts';
import { explainFile, explainSqlite } from './sqlite-errors.ts';

export interface DataLock {
  /** Lets the next process in. Harmless when called again. */
  release(): void;
}

/**
 * Takes the data directory for this process.
 *
 * Node has no file locks, SQLite has: an exclusive transaction on the empty `node.lock` holds one that
 * the operating system drops when the process ends in whatever way, so a lock is never stale and a
 * reused process id never mistaken for its holder. `node.pid` only tells who it is.
 *
 * @throws store/locked with the holder's process id, store/read-only, store/disk-full
 */
export function lockDataDirectory(dir: string): DataLock {
  const pidFile = join(dir, 'node.pid');
  let connection: Sqlite.Database | undefined;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    connection = openPrivate(join(dir, 'node.lock'), { timeout: 0 });
    // Nothing is ever written, so no journal either.
    connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    connection?.close();
    const explained = explainFile(error, dir) ?? explainSqlite(error, dir);
    const busy = explained instanceof Error && 'code' in explained && explained.code === storeErrors.code('busy');
    throw busy ? storeErrors.make('locked', { dir, holder: holderOf(pidFile) }, error) : explained;
  }
  const held = connection;
  return {
    release() {
      if (!held.open) return;
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}

function holderOf(pidFile: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(pidFile, 'utf8'), 10)}`;
  } catch {
    // Between taking the lock and writing its id, or the file was deleted by hand.
    return 'unknown process';
  }
}
