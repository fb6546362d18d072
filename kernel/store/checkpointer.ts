import type Sqlite from 'better-sqlite3';
import type { Clock, TimerHandle } from '../sdk/clock.ts';
import type { Log } from '../sdk/log.ts';
import { CheckpointThread } from './checkpoint-thread.ts';

/** How long the log may get, in frames (pages of 4 KiB). */
export interface CheckpointLimits {
  /** What is worth a pass. */
  readonly passFrames: number;
  /**
   * Beyond this bulk writes wait until all of the log is in the database, as the next writer then starts the log
   * anew; under steady writing a pass alone never gets so far.
   */
  readonly holdFrames: number;
}

/** 16 and 33 MB: who starts a log anew syncs its header, on the loop, and that should be rare. */
export const CHECKPOINT_LIMITS: CheckpointLimits = { passFrames: 4_000, holdFrames: 8_000 };
/** Code that writes without ever letting the loop turn is checkpointed on the loop. 66 MB. */
const LOOP_FRAMES = 16_000;
/** After a pass that failed: the next may find room on the disk. */
const RETRY_MS = 5_000;
/** A thread without work ends: it holds about 20 MB. */
const IDLE_MS = 60_000;

interface WalState {
  /** Frames in the log now. */
  readonly log: number;
  readonly checkpointed: number;
}

/** Keeps the write-ahead log short without the event loop waiting for the disk. */
export class Checkpointer {
  readonly #connection: Sqlite.Database;
  readonly #path: string;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #limits: CheckpointLimits;
  #thread: CheckpointThread | undefined;
  #idle: TimerHandle | undefined;
  #pass: Promise<void> | undefined;
  #hold: Promise<void> | undefined;
  #notBeforeMs = 0;
  #closed = false;

  constructor(connection: Sqlite.Database, path: string, log: Log, clock: Clock, limits: CheckpointLimits) {
    this.#connection = connection;
    this.#path = path;
    this.#log = log;
    this.#clock = clock;
    this.#limits = limits;
    // SQLite's own are made by the commit that passes 1,000 frames, and wait for the disk twice.
    connection.pragma('wal_autocheckpoint = 0');
  }

  /** See `Database.congestion`. */
  get congestion(): Promise<void> | undefined {
    return this.#hold;
  }

  /** To be called after each commit. Never throws: what was committed is committed. */
  committed(): void {
    try {
      this.#look();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends the thread, after the pass it is at. */
  close(): Promise<void> | undefined {
    this.#closed = true;
    return this.#dismiss();
  }

  #look(): void {
    // A pass tells how long the log was for its own connection; only this one knows how long it is.
    const { log, checkpointed } = this.#checkpoint('NOOP');
    if (log === checkpointed || this.#closed || this.#clock.monotonic() < this.#notBeforeMs) return;
    if (log >= LOOP_FRAMES) this.#checkpoint('PASSIVE');
    else if (log >= this.#limits.holdFrames) this.#hold ??= this.#catchUp();
    else if (log - checkpointed >= this.#limits.passFrames) this.#pass ??= this.#run();
  }

  async #catchUp(): Promise<void> {
    // What was committed since the pass under way began is not in it.
    await this.#pass;
    if (!this.#closed) {
      this.#pass = this.#run();
      await this.#pass;
    }
    this.#hold = undefined;
  }

  async #run(): Promise<void> {
    this.#idle?.cancel();
    this.#thread ??= new CheckpointThread(this.#path);
    const error = await this.#thread.pass();
    this.#pass = undefined;
    if (this.#closed) return;
    this.#idle = this.#clock.timer(IDLE_MS, () => void this.#dismiss());
    if (error === '') return;
    this.#failed(error);
    void this.#dismiss();
  }

  /** Nothing is lost: the log stays as it is. */
  #failed(error: unknown): void {
    this.#notBeforeMs = this.#clock.monotonic() + RETRY_MS;
    this.#log.warn('checkpoint-failed', { error });
  }

  #dismiss(): Promise<void> | undefined {
    this.#idle?.cancel();
    const ended = this.#thread?.close();
    this.#thread = undefined;
    return ended;
  }

  #checkpoint(mode: 'NOOP' | 'PASSIVE'): WalState {
    return (this.#connection.pragma(`wal_checkpoint(${mode})`) as [WalState])[0];
  }
}
