import Sqlite from 'better-sqlite3';
import { codeOf, ItsgoinError } from '../sdk/errors.ts';
import { storeErrors } from './errors.ts';

const FILE_CODES: Readonly<Record<string, 'disk-full' | 'read-only' | 'not-a-directory' | undefined>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EACCES: 'read-only',
  EPERM: 'read-only',
  EROFS: 'read-only',
  ENOTDIR: 'not-a-directory',
};

/** What the file system throws in terms of our catalogue; `undefined` for anything we have no word for. */
export function explainFile(error: unknown, path: string): ItsgoinError | undefined {
  const name = FILE_CODES[codeOf(error)];
  return name === undefined ? undefined : storeErrors.make(name, { path }, error);
}

/** What SQLite throws in terms of our catalogue; what is a bug in the caller's SQL stays as it is. */
export function explainSqlite(error: unknown, path: string): unknown {
  if (error instanceof ItsgoinError || !(error instanceof Error)) return error;
  const detail = error.message;
  if (!(error instanceof Sqlite.SqliteError)) {
    return detail === 'The database connection is not open' ? storeErrors.make('closed', { path }, error) : error;
  }
  // Extended codes such as SQLITE_IOERR_WRITE begin with their primary one.
  const { code } = error;
  const is = (primary: string): boolean => code === primary || code.startsWith(`${primary}_`);
  if (is('SQLITE_FULL')) return storeErrors.make('disk-full', { path }, error);
  if (is('SQLITE_READONLY') || is('SQLITE_CANTOPEN') || is('SQLITE_PERM'))
    return storeErrors.make('read-only', { path }, error);
  if (is('SQLITE_BUSY') || is('SQLITE_LOCKED')) return storeErrors.make('busy', { path }, error);
  if (is('SQLITE_CORRUPT') || is('SQLITE_NOTADB')) return storeErrors.make('corrupt', { path, detail }, error);
  if (is('SQLITE_IOERR')) return storeErrors.make('io-failed', { path, detail }, error);
  return error;
}
