import { Worker } from 'node:worker_threads';

/** What the thread may use for JavaScript; SQLite's own memory does not count. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/** A thread with a connection of its own that copies the write-ahead log into the database. One pass at a time. */
export class CheckpointThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #answer: ((error: string) => void) | undefined;

  constructor(path: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), {
      workerData: path,
      execArgv: [],
      resourceLimits: LIMITS,
    });
    // A store that nobody closes must not keep the process alive.
    this.#worker.unref();
    this.#worker.on('message', (error: string) => this.#settle(error));
    this.#worker.on('error', (error) => this.#settle(String(error)));
    this.#worker.on('exit', () => {
      this.#settle('the thread ended');
      resolve();
    });
  }

  /** Resolves with '' when the pass is done, else with what went wrong. */
  pass(): Promise<string> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#worker.postMessage('pass');
    });
  }

  /** Closes the connection after the pass under way, if any; resolves when the thread is gone. */
  async close(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended;
  }

  #settle(error: string): void {
    this.#answer?.(error);
    this.#answer = undefined;
  }
}
