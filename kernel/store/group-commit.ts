import type { Clock, TimerHandle } from '../sdk/clock.ts';
import type { Database } from '../sdk/database.ts';
import { storeErrors } from './errors.ts';

export interface GroupCommitOptions {
  /** Jobs in one transaction at most: bounds how long the event loop stops. Default 256. */
  readonly maxJobs?: number;
  /**
   * How long the first job of a group waits for company at least; as long as the last commit took, if
   * that was longer. So a slow disk stops the event loop half of the time at most. Default 2 ms.
   */
  readonly minWaitMs?: number;
  /** Jobs not yet answered at most; then `run` rejects. Default 4,096. */
  readonly capacity?: number;
}

/** A commit that took longer than this says that the disk was stuck for a moment, not that it is slow. */
const SLOW_COMMIT_MS = 50;

interface Job {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Writes that share a transaction and its way to the disk, because a hundred rows in one cost little more than
 * one. Every job is a savepoint: one that throws takes back its own writes only. Groups are committed while
 * those before them are still being synced; while the store is congested none is.
 *
 * A plugin makes one in `setup` and gives `close` to `ctx.defer`.
 */
export class GroupCommit {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #maxJobs: number;
  readonly #minWaitMs: number;
  readonly #capacity: number;
  #jobs: Job[] = [];
  #timer: TimerHandle | undefined;
  #waiting: (() => void)[] = [];
  #lastCommitMs = 0;
  /** Committed, and not on the disk yet. */
  #syncing = 0;
  #held = false;

  constructor(db: Database, clock: Clock, options: GroupCommitOptions = {}) {
    this.#db = db;
    this.#clock = clock;
    this.#maxJobs = options.maxJobs ?? 256;
    this.#minWaitMs = options.minWaitMs ?? 2;
    this.#capacity = options.capacity ?? 4_096;
  }

  /** Jobs not yet answered. */
  get size(): number {
    return this.#jobs.length + this.#syncing;
  }

  /**
   * Resolves with what `job` returns once it is on disk and survives a loss of power. Jobs run in the
   * order they came.
   *
   * @throws store/queue-full, what `job` throws, or what the commit throws (store/disk-full ...)
   */
  run<R>(job: () => R): Promise<R> {
    if (this.size >= this.#capacity) {
      return Promise.reject(storeErrors.make('queue-full', { capacity: this.#capacity }));
    }
    return new Promise<R>((resolve, reject) => {
      this.#jobs.push({ run: job, resolve: resolve as (value: unknown) => void, reject });
      if (this.#held) return;
      // A full group goes at the end of this turn instead of waiting for the timer.
      if (this.#jobs.length === this.#maxJobs) this.#schedule(0);
      else if (this.#timer === undefined) this.#schedule(this.#waitMs());
    });
  }

  /** Resolves when at most half the capacity is waiting: what a reader awaits before it takes more in. */
  async ready(): Promise<void> {
    while (this.size > this.#capacity / 2) {
      await this.#answered();
    }
  }

  /** Commits what waits, now and before returning; resolves when it is on disk. */
  async close(): Promise<void> {
    while (this.#jobs.length > 0) this.#commit();
    while (this.#syncing > 0) await this.#answered();
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(delayMs, () => this.#begin());
  }

  #begin(): void {
    const { congestion } = this.#db;
    if (congestion === undefined) {
      this.#commit();
      return;
    }
    this.#held = true;
    void congestion.then(() => {
      this.#held = false;
      if (this.#jobs.length > 0) this.#begin();
    });
  }

  #commit(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const startedMs = this.#clock.monotonic();
    const group = this.#jobs.splice(0, this.#maxJobs);
    this.#syncing += group.length;
    try {
      const settle = this.#db.transaction(() => group.map((job) => this.#attempt(job)));
      this.#db.synced().then(
        () => this.#answer(settle),
        (error) => this.#answer(group.map((job) => () => job.reject(error))),
      );
    } catch (error) {
      this.#answer(group.map((job) => () => job.reject(error)));
    }
    this.#lastCommitMs = this.#clock.monotonic() - startedMs;
    if (this.#jobs.length > 0) this.#schedule(this.#jobs.length >= this.#maxJobs ? 0 : this.#waitMs());
  }

  #answer(group: readonly (() => void)[]): void {
    this.#syncing -= group.length;
    for (const settle of group) settle();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #waitMs(): number {
    return Math.max(this.#minWaitMs, Math.min(this.#lastCommitMs, SLOW_COMMIT_MS));
  }

  /** Runs one job; how its promise ends is only known once the group is committed. */
  #attempt(job: Job): () => void {
    try {
      const value = this.#db.transaction(() => job.run());
      return () => job.resolve(value);
    } catch (error) {
      return () => job.reject(error);
    }
  }
}
