import { closeSync, existsSync, openSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/**
 * Opens a SQLite file that only its owner may read; SQLite's own choice is everybody. Its WAL takes
 * over the mode. A file that exists is left alone: closing another handle on it would drop the locks
 * that this process holds on it (POSIX).
 */
export function openPrivate(path: string, options: { timeout: number }): Sqlite.Database {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  return new Sqlite(path, options);
}
