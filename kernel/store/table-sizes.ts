import type Sqlite from 'better-sqlite3';

/**
 * Pages looked at per call. SQLite keeps no size of a table, so its pages are walked, at about
 * 500 a millisecond; 10,000 (40 MB) keep one call near 20 ms.
 */
const PAGES_MAX = 10_000;

export interface TableSize {
  readonly name: string;
  readonly bytes: number;
  /** True when the walk stopped at its limit: the table has at least `bytes`. */
  readonly partial?: true;
}

/** Bytes of each table an owner's migrations made, with its indices. */
export function measureTables(connection: Sqlite.Database, owner: string): readonly TableSize[] {
  const names = connection
    .prepare<[string], { name: string }>('SELECT name FROM kernel_tables WHERE owner = ? ORDER BY name')
    .all(owner);
  const share = Math.ceil(PAGES_MAX / Math.max(1, names.length));
  return names.map(({ name }) => measure(connection, name, share));
}

function measure(connection: Sqlite.Database, name: string, pagesMax: number): TableSize {
  const parts = connection
    .prepare<[string], { name: string }>('SELECT name FROM sqlite_schema WHERE tbl_name = ?')
    .all(name);
  const pages = connection.prepare<[string], { pgsize: number }>('SELECT pgsize FROM dbstat WHERE name = ?');
  let left = pagesMax;
  let bytes = 0;
  for (const part of parts) {
    for (const { pgsize } of pages.iterate(part.name)) {
      if (left-- <= 0) return { name, bytes, partial: true };
      bytes += pgsize;
    }
  }
  return { name, bytes };
}
