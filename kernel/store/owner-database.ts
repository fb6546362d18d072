import type Sqlite from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { Database, SqlValue, Statement } from '../sdk/database.ts';
import type { Confinement } from './confinement.ts';
import { storeErrors } from './errors.ts';
import type { Transactions } from './transactions.ts';

/** Prepared statements kept per owner; the least used goes first. A statement somebody holds stays valid. */
const STATEMENTS_MAX = 256;

/** Verbs that would change the connection under everybody else's feet. */
const FORBIDDEN = /^\s*(begin|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum)\b/i;

/** What the whole store knows of its disk. */
export interface Disk {
  /** See `Database.synced`. */
  synced(): Promise<void>;
  /** See `Database.congestion`. */
  readonly congestion: Promise<void> | undefined;
}

type Params = SqlValue[] | [Readonly<Record<string, SqlValue>>];

/** The connection as one owner sees it. */
export class OwnerDatabase implements Database {
  readonly #owner: string;
  readonly #connection: Sqlite.Database;
  readonly #transactions: Transactions;
  readonly #confinement: Confinement;
  readonly #disk: Disk;
  readonly #statements = new LRUCache<string, Statement>({ max: STATEMENTS_MAX });

  constructor(
    owner: string,
    connection: Sqlite.Database,
    transactions: Transactions,
    confinement: Confinement,
    disk: Disk,
  ) {
    this.#owner = owner;
    this.#connection = connection;
    this.#transactions = transactions;
    this.#confinement = confinement;
    this.#disk = disk;
  }

  prepare<Row = unknown>(sql: string): Statement<Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      const verb = FORBIDDEN.exec(sql)?.[1];
      if (verb !== undefined) throw storeErrors.make('forbidden-statement', { owner: this.#owner, verb });
      if (this.#confinement.has(this.#owner)) {
        this.#transactions.guard(() => this.#confinement.checkStatement(this.#owner, sql));
      }
      statement = this.#wrap(this.#transactions.guard(() => this.#connection.prepare<SqlValue[]>(sql)));
      this.#statements.set(sql, statement);
    }
    return statement as Statement<Row>;
  }

  transaction<R>(work: () => R): R {
    return this.#transactions.run(this.#owner, work);
  }

  synced(): Promise<void> {
    return this.#disk.synced();
  }

  get congestion(): Promise<void> | undefined {
    return this.#disk.congestion;
  }

  #wrap(raw: Sqlite.Statement<SqlValue[]>): Statement {
    const transactions = this.#transactions;
    return {
      get: (...params: Params) => transactions.guard(() => raw.get(...(params as SqlValue[]))),
      all: (...params: Params) => transactions.guard(() => raw.all(...(params as SqlValue[]))),
      run: (...params: Params) => transactions.write(() => raw.run(...(params as SqlValue[]))),
    };
  }
}
