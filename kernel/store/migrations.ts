import type Sqlite from 'better-sqlite3';
import type { Clock } from '../sdk/clock.ts';
import type { Migration } from '../sdk/database.ts';
import { ItsgoinError } from '../sdk/errors.ts';
import type { Confinement } from './confinement.ts';
import { storeErrors } from './errors.ts';
import { explainSqlite } from './sqlite-errors.ts';
import type { Transactions } from './transactions.ts';

/** Version of the kernel's own tables, in `PRAGMA user_version` (ID-03). */
export const KERNEL_SCHEMA = 1;

const KERNEL_SQL = `
  CREATE TABLE kernel_migrations (
    owner TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, applied_at_ms INTEGER NOT NULL,
    taken_back INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (owner, id)
  ) WITHOUT ROWID;
  CREATE TABLE kernel_tables (name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
`;

const ID = /^\d{4}-[a-z0-9]+(-[a-z0-9]+)*$/;

/** Only reads. @throws store/newer-schema when a later kernel made the file */
export function checkKernelSchema(connection: Sqlite.Database, path: string): void {
  const version = schemaVersion(connection);
  if (version <= KERNEL_SCHEMA) return;
  throw storeErrors.make('newer-schema', { path, owner: 'this kernel', steps: `schema ${version}` });
}

/** Makes the kernel's tables in an empty file. */
export function prepareKernelSchema(connection: Sqlite.Database): void {
  if (schemaVersion(connection) === KERNEL_SCHEMA) return;
  connection.exec(`BEGIN IMMEDIATE; ${KERNEL_SQL} PRAGMA user_version = ${KERNEL_SCHEMA}; COMMIT;`);
}

function schemaVersion(connection: Sqlite.Database): number {
  return connection.pragma('user_version', { simple: true }) as number;
}

/** Brings the tables of one owner up to what its code knows. */
export class Migrator {
  readonly #connection: Sqlite.Database;
  readonly #transactions: Transactions;
  readonly #confinement: Confinement;
  readonly #path: string;
  readonly #clock: Clock;

  constructor(
    connection: Sqlite.Database,
    transactions: Transactions,
    confinement: Confinement,
    path: string,
    clock: Clock,
  ) {
    this.#connection = connection;
    this.#transactions = transactions;
    this.#confinement = confinement;
    this.#path = path;
    this.#clock = clock;
  }

  /** See `Store.migrate`. */
  migrate(owner: string, migrations: readonly Migration[], kinds: readonly Migration['kind'][]): readonly string[] {
    checkOrder(owner, migrations);
    const applied = this.#applied(owner);
    const known = new Set(migrations.map(({ id }) => id));
    const unknown = [...applied].filter(([id, takenBack]) => !known.has(id) && !takenBack).map(([id]) => id);
    if (unknown.length > 0) {
      throw storeErrors.make('newer-schema', { path: this.#path, owner, steps: unknown.join(', ') });
    }
    const missing = migrations.filter(({ id, kind }) => !applied.has(id) && kinds.includes(kind));
    if (missing.length === 0) return [];
    this.#transactions.run(owner, () => {
      for (const step of missing) this.#apply(owner, step);
      for (const name of this.#confinement.has(owner) ? [] : missing.flatMap(({ adopts = [] }) => adopts)) {
        this.#connection.prepare('UPDATE kernel_tables SET owner = ? WHERE name = ?').run(owner, name);
      }
    });
    return missing.map(({ id }) => id);
  }

  /** See `Store.takeBack`. */
  takeBack(owner: string, ids: readonly string[]): void {
    this.#transactions.run(owner, () => {
      const mark = this.#connection.prepare(
        "UPDATE kernel_migrations SET taken_back = 1 WHERE owner = ? AND id = ? AND kind = 'expand'",
      );
      for (const id of ids) mark.run(owner, id);
    });
  }

  #applied(owner: string): Map<string, boolean> {
    const sql = 'SELECT id, taken_back FROM kernel_migrations WHERE owner = ?';
    const rows = this.#transactions.guard(() =>
      this.#connection.prepare<[string], { id: string; taken_back: number }>(sql).all(owner),
    );
    return new Map(rows.map(({ id, taken_back }) => [id, taken_back === 1]));
  }

  #apply(owner: string, { id, kind, sql }: Migration): void {
    const fail = (error: unknown): ItsgoinError => {
      const explained = explainSqlite(error, this.#path);
      if (explained instanceof ItsgoinError) return explained;
      const detail = explained instanceof Error ? explained.message : String(explained);
      return storeErrors.make('migration-failed', { id, owner, detail }, explained);
    };
    try {
      const before = this.#tables();
      if (this.#confinement.has(owner)) this.#confinement.migrate(owner, sql);
      else this.#connection.exec(sql);
      if (!this.#connection.inTransaction) throw new Error('the step ends the transaction it runs in');
      this.#connection
        .prepare('INSERT INTO kernel_migrations (owner, id, kind, applied_at_ms) VALUES (?, ?, ?, ?)')
        .run(owner, id, kind, this.#clock.now());
      this.#recordTables(owner, before);
    } catch (error) {
      throw fail(error);
    }
  }

  #tables(): Set<string> {
    const rows = this.#connection
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all();
    return new Set(rows.map(({ name }) => name));
  }

  #recordTables(owner: string, before: ReadonlySet<string>): void {
    const after = this.#tables();
    const add = this.#connection.prepare('INSERT INTO kernel_tables (name, owner) VALUES (?, ?)');
    const remove = this.#connection.prepare('DELETE FROM kernel_tables WHERE name = ?');
    for (const name of before) if (!after.has(name)) remove.run(name);
    for (const name of after) if (!before.has(name)) add.run(name, owner);
  }
}

function checkOrder(owner: string, migrations: readonly Migration[]): void {
  let previous = '';
  for (const { id } of migrations) {
    if (!ID.test(id)) throw storeErrors.make('bad-migration', { owner, id, detail: 'an id is like 0001-name' });
    if (id <= previous) throw storeErrors.make('bad-migration', { owner, id, detail: 'ids must rise' });
    previous = id;
  }
}
