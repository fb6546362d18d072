import type { Log } from '../sdk/log.ts';
import type { Clock } from '../sdk/clock.ts';

/** A cleanup that hangs may delay a swap by this much, not more. */
export const CLEANUP_LIMIT_MS = 2_000;

/**
 * The life of one generation: an abort signal, and undo steps that run last in, first out, one at a
 * time. A step that throws or hangs is reported and the next one runs all the same.
 */
export class Scope {
  readonly #controller = new AbortController();
  readonly #undo: { readonly what: string; readonly run: () => void | Promise<void>; readonly limitMs: number }[] = [];
  readonly #log: Log;
  readonly #clock: Clock;
  #closing: Promise<void> | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Undo steps registered and not yet run. */
  get size(): number {
    return this.#undo.length;
  }

  /** Registers an undo step. On a scope that is closed already it runs at once. */
  defer(what: string, run: () => void | Promise<void>, limitMs = CLEANUP_LIMIT_MS): void {
    if (this.#closing) {
      void this.#undoOne(what, run, limitMs);
      return;
    }
    this.#undo.push({ what, run, limitMs });
  }

  /** Aborts the signal, then undoes everything. Safe to call again: returns the same promise. */
  close(reason?: unknown): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    for (let step = this.#undo.pop(); step; step = this.#undo.pop()) {
      await this.#undoOne(step.what, step.run, step.limitMs);
    }
  }

  async #undoOne(what: string, run: () => void | Promise<void>, limitMs: number): Promise<void> {
    try {
      const ending = run();
      if (!(ending instanceof Promise)) return;
      if (!(await within(ending, limitMs, this.#clock))) this.#log.error('cleanup-timeout', { what });
    } catch (error) {
      this.#log.error('cleanup-failed', { what, error });
    }
  }
}

/**
 * True when `work` settled within `limitMs`; its rejection is passed on, and so is the reason of
 * `signal`. The work itself goes on.
 */
export function within(work: Promise<unknown>, limitMs: number, clock: Clock, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const abort = (): void => end(() => reject(signal?.reason));
    const end = (settle: () => void): void => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const timer = clock.timer(limitMs, () => end(() => resolve(false)));
    work.then(
      () => end(() => resolve(true)),
      (error) => end(() => reject(error)),
    );
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
