import { GroupCommit } from '../../kernel/index.ts';
import type { Clock, Database } from '../../kernel/index.ts';

/** Chunks of 64 posts in one commit: some 10 ms of inserts, so that with the disk's part nothing blocks 50 ms. */
const BULK_JOBS = 4;

/**
 * The content tables' writes. Single records and whole chunks commit in separate groups, since a count
 * of jobs that suits one would be far too many or too few of the other.
 */
export class Writer {
  readonly #single: GroupCommit;
  readonly #bulk: GroupCommit;
  #failuresInARow = 0;

  constructor(db: Database, clock: Clock) {
    this.#single = new GroupCommit(db, clock);
    this.#bulk = new GroupCommit(db, clock, { maxJobs: BULK_JOBS });
  }

  /** Writes that failed since one last succeeded: the disk is full or gone. */
  get failuresInARow(): number {
    return this.#failuresInARow;
  }

  get waiting(): number {
    return this.#single.size + this.#bulk.size;
  }

  /** One record; resolves when it is on disk. @throws store/* */
  one<R>(job: () => R): Promise<R> {
    return this.#watch(this.#single.run(job));
  }

  /** Some dozen records, or what must come after such; in the order they were given. @throws store/* */
  bulk<R>(job: () => R): Promise<R> {
    return this.#watch(this.#bulk.run(job));
  }

  /** Commits what waits, before returning; resolves when it is on disk. */
  async close(): Promise<void> {
    await Promise.all([this.#single.close(), this.#bulk.close()]);
  }

  async #watch<R>(written: Promise<R>): Promise<R> {
    try {
      const result = await written;
      this.#failuresInARow = 0;
      return result;
    } catch (error) {
      this.#failuresInARow += 1;
      throw error;
    }
  }
}
