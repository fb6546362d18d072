import type Sqlite from 'better-sqlite3';
import { storeErrors } from './errors.ts';

/** Parameters of one statement, at most, as SQLite has it. */
const PARAMS_MAX = 32_766;

interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** One row of EXPLAIN. */
interface Opcode {
  readonly opcode: string;
  readonly p1: number;
  readonly p2: number;
  readonly p3: number;
  readonly p5: number;
}

const PRAGMA = /\bpragma\s+[\w."]/i;

/** `p2` of an open opcode is a register, in which a table that is just being made has its page. */
const PAGE_IN_REGISTER = 0x10;

/**
 * Keeps third-party plugins to their own tables: those their migrations made, which are named after them.
 * SQLite's own authorizer is not offered by the binding, so statements are asked for the pages they open,
 * and migrations are compared by what they leave behind.
 */
export class Confinement {
  readonly #connection: Sqlite.Database;
  /** As many as there are third-party plugins. */
  readonly #confined = new Set<string>();

  constructor(connection: Sqlite.Database) {
    this.#connection = connection;
  }

  confine(owner: string): void {
    this.#confined.add(owner);
  }

  has(owner: string): boolean {
    return this.#confined.has(owner);
  }

  /** @throws store/foreign-table, and whatever is wrong with the statement itself */
  checkStatement(owner: string, sql: string): void {
    for (const { opcode, p1, p2, p3, p5 } of this.#explain(sql)) {
      if (['OpenRead', 'OpenWrite', 'ReopenIdx'].includes(opcode) && p3 === 0 && (p5 & PAGE_IN_REGISTER) === 0) {
        this.#checkPage(owner, p2, opcode === 'OpenWrite');
      } else if (opcode === 'Clear' && p2 === 0) this.#checkPage(owner, p1, true);
      else if (opcode === 'Destroy' || opcode === 'CreateBtree') this.#refuse(owner, 'sqlite_schema', 'the schema');
    }
  }

  /** Runs a schema step of a confined owner inside a transaction. @throws store/foreign-table, store/table-name */
  migrate(owner: string, sql: string): void {
    // A pragma holds for the connection, and is not rolled back.
    if (PRAGMA.test(sql)) throw storeErrors.make('forbidden-statement', { owner, verb: 'pragma' });
    const before = this.#schema();
    const others = before.filter(({ type, name }) => type === 'table' && this.#ownerOf(name) !== owner);
    const guards = others.filter(({ name }) => !name.startsWith('sqlite_')).flatMap((table) => guardsOf(table.name));
    for (const { make } of guards) this.#connection.exec(make);
    try {
      this.#connection.exec(sql);
    } finally {
      for (const { drop } of guards) if (this.#connection.inTransaction) this.#connection.exec(drop);
    }
    this.#checkSchema(owner, before, this.#schema());
  }

  #checkSchema(owner: string, before: readonly SchemaEntry[], after: readonly SchemaEntry[]): void {
    const keyOf = ({ type, name }: SchemaEntry): string => `${type} ${name}`;
    const left = new Map(after.map((entry) => [keyOf(entry), entry]));
    for (const entry of before) {
      const now = left.get(keyOf(entry));
      left.delete(keyOf(entry));
      const { tbl_name: table } = entry;
      if (now?.sql !== entry.sql && this.#ownerOf(table) !== owner) this.#refuse(owner, table, this.#ownerOf(table));
    }
    const prefix = `${owner.replaceAll('-', '_')}_`;
    const added = [...left.values()];
    for (const { type, name, tbl_name: table } of added) {
      if (name.startsWith('sqlite_')) continue;
      if (type === 'table' || type === 'view') {
        if (!name.startsWith(prefix)) throw storeErrors.make('table-name', { owner, name, prefix });
      } else if (
        this.#ownerOf(table) !== owner &&
        !added.some((each) => each.type === 'table' && each.name === table)
      ) {
        this.#refuse(owner, table, this.#ownerOf(table));
      }
    }
  }

  #checkPage(owner: string, page: number, writes: boolean): void {
    if (page === 1) {
      if (writes) this.#refuse(owner, 'sqlite_schema', 'the schema');
      return;
    }
    const found = this.#connection
      .prepare<[number], { tbl_name: string }>('SELECT tbl_name FROM sqlite_schema WHERE rootpage = ?')
      .get(page);
    if (found === undefined || found.tbl_name.startsWith('sqlite_')) return;
    const other = this.#ownerOf(found.tbl_name);
    if (other !== owner) this.#refuse(owner, found.tbl_name, other);
  }

  #ownerOf(table: string): string {
    const found = this.#connection
      .prepare<[string], { owner: string }>('SELECT owner FROM kernel_tables WHERE name = ?')
      .get(table);
    return found?.owner ?? 'the kernel';
  }

  #schema(): SchemaEntry[] {
    return this.#connection.prepare<[], SchemaEntry>('SELECT type, name, tbl_name, sql FROM sqlite_schema').all();
  }

  /** The binding wants a value for each parameter and tells of one that is missing at a time. */
  #explain(sql: string): Opcode[] {
    const statement = this.#connection.prepare<unknown[], Opcode>(`EXPLAIN ${sql}`);
    const unnamed: null[] = [];
    const named: Record<string, null>[] = [];
    for (let tries = 0; ; tries++) {
      try {
        return statement.all(...unnamed, ...named);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof TypeError) || tries > PARAMS_MAX) throw error;
        const name = /named parameter "(.+)"/.exec(error.message)?.[1];
        if (name !== undefined) named[0] = { ...named[0], [name]: null };
        else if (error.message.includes('named parameters')) named[0] = {};
        else if (error.message.includes('Too few')) unnamed.push(null);
        else throw error;
      }
    }
  }

  #refuse(owner: string, table: string, other: string): never {
    throw storeErrors.make('foreign-table', { owner, table, other });
  }
}

/** For one table of somebody else: triggers of this connection that end whatever would write to it. */
function guardsOf(table: string): { make: string; drop: string }[] {
  const quoted = `"${table.replaceAll('"', '""')}"`;
  return ['INSERT', 'UPDATE', 'DELETE'].map((what) => {
    const name = `"kernel guard ${what} ${table.replaceAll('"', '""')}"`;
    return {
      make:
        `CREATE TEMP TRIGGER ${name} BEFORE ${what} ON main.${quoted} ` +
        `BEGIN SELECT RAISE(ABORT, 'the table ${table.replaceAll("'", "''")} is not its own'); END`,
      drop: `DROP TRIGGER IF EXISTS temp.${name}`,
    };
  });
}
