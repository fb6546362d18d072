import type Sqlite from 'better-sqlite3';
import { ItsgoinError } from '../sdk/errors.ts';
import { storeErrors } from './errors.ts';
import { explainSqlite } from './sqlite-errors.ts';

/** The one connection's transactions: all owners share them, since SQLite has one at a time. */
export class Transactions {
  readonly #connection: Sqlite.Database;
  readonly #path: string;
  readonly #committed: () => void;
  readonly #verbs: Record<'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollbackTo', Sqlite.Statement>;
  #depth = 0;
  /** Why SQLite ended the transaction under us; nothing more may run in it. */
  #lost: Error | undefined;
  #failure: Error | undefined;

  /** `committed` is called after each commit, that of a single statement included. */
  constructor(connection: Sqlite.Database, path: string, committed: () => void) {
    this.#connection = connection;
    this.#path = path;
    this.#committed = committed;
    this.#verbs = {
      // IMMEDIATE: whoever else holds the file shows up here, before any work was done.
      begin: connection.prepare('BEGIN IMMEDIATE'),
      commit: connection.prepare('COMMIT'),
      rollback: connection.prepare('ROLLBACK'),
      // Nested savepoints may share a name: RELEASE and ROLLBACK TO take the innermost.
      savepoint: connection.prepare('SAVEPOINT nested'),
      release: connection.prepare('RELEASE nested'),
      rollbackTo: connection.prepare('ROLLBACK TO nested'),
    };
  }

  /** Runs one call into SQLite and translates what it throws. */
  guard<R>(call: () => R): R {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#lost !== undefined) throw this.#lost;
    try {
      return call();
    } catch (error) {
      const explained = explainSqlite(error, this.#path);
      // A full disk or a failed write makes SQLite roll back everything by itself. Should the caller
      // swallow the error, its further statements would each commit alone: refuse them instead.
      if (this.#depth > 0 && this.#connection.open && !this.#connection.inTransaction) {
        this.#lost = explained instanceof ItsgoinError ? explained : lostAfter(explained);
      }
      throw explained;
    }
  }

  /** {@link guard} for a statement that writes: outside of a transaction it commits by itself. */
  write<R>(call: () => R): R {
    const result = this.guard(call);
    if (this.#depth === 0) this.#committed();
    return result;
  }

  /** Every call fails with `error` from now on. */
  fail(error: Error): void {
    this.#failure = error;
  }

  /** See `Database.transaction`. */
  run<R>(owner: string, work: () => R): R {
    const nested = this.#depth > 0;
    this.guard(() => (nested ? this.#verbs.savepoint : this.#verbs.begin).run());
    this.#depth++;
    try {
      const result = work();
      if (isThenable(result)) {
        // Its rejection, if any, is a consequence of what is reported here.
        result.then(undefined, () => {});
        throw storeErrors.make('async-transaction', { owner });
      }
      this.guard(() => (nested ? this.#verbs.release : this.#verbs.commit).run());
      if (!nested) this.#committed();
      return result;
    } catch (error) {
      if (this.#connection.open && this.#connection.inTransaction) this.#undo(nested);
      throw error;
    } finally {
      this.#depth--;
      if (!nested) this.#lost = undefined;
    }
  }

  #undo(nested: boolean): void {
    if (!nested) {
      this.#verbs.rollback.run();
      return;
    }
    this.#verbs.rollbackTo.run();
    this.#verbs.release.run();
  }
}

function lostAfter(error: unknown): ItsgoinError {
  const detail = error instanceof Error ? error.message : String(error);
  return storeErrors.make('transaction-lost', { detail }, error);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
