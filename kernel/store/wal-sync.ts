import { closeSync, fdatasync, openSync } from 'node:fs';
import { storeErrors } from './errors.ts';

interface Waiting {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Brings the write-ahead log to the disk on the thread pool, one sync at a time: SQLite in NORMAL leaves that to
 * whoever needs to know. A log is recovered as a prefix, so what is synced later covers all that came before it.
 */
export class WalSync {
  readonly #path: string;
  readonly #onFailure: (error: Error) => void;
  /** The log may be opened beside SQLite, as it has no locks; the database itself would lose them by the close. */
  readonly #file: number;
  #syncing: Waiting | undefined;
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  /** `path` is that of the log, which is there. `onFailure` is called once, after which every call rejects. */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
    this.#file = openSync(path, 'r+');
  }

  /** See `Database.synced`. */
  synced(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // The sync under way may have begun before the caller's last commit.
    this.#waiting ??= Promise.withResolvers<void>();
    const { promise } = this.#waiting;
    this.#begin();
    return promise;
  }

  /** True while somebody waits. */
  get busy(): boolean {
    return this.#syncing !== undefined;
  }

  /** Resolves when nobody waits any more, however that ended. */
  async drained(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing.promise.catch(() => {});
  }

  /** To be called when nobody waits; every later call rejects. */
  close(): void {
    this.#failure ??= storeErrors.make('closed', { path: this.#path });
    closeSync(this.#file);
  }

  #begin(): void {
    if (this.#syncing !== undefined || this.#waiting === undefined) return;
    const current = this.#waiting;
    this.#syncing = current;
    this.#waiting = undefined;
    fdatasync(this.#file, (error) => {
      this.#syncing = undefined;
      if (error === null) {
        current.resolve();
        this.#begin();
      } else {
        this.#fail(error, [current, this.#waiting]);
      }
    });
  }

  /** Never tried again: the system forgets what it could not write, and the next sync would report success. */
  #fail(error: Error, waiting: readonly (Waiting | undefined)[]): void {
    const failure = storeErrors.make('io-failed', { path: this.#path, detail: error.message }, error);
    this.#failure = failure;
    this.#waiting = undefined;
    this.#onFailure(failure);
    for (const one of waiting) one?.reject(failure);
  }
}
