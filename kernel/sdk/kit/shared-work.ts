import { untilAborted } from './abort.ts';

/** Work that several wait for. It is called off when the last of them has left. */
export class SharedWork<R> {
  readonly #calledOff = new AbortController();
  readonly #result: Promise<R>;
  readonly #over: () => void;
  #waiting = 0;

  /**
   * Begins it. `over` is called at once when nobody waits any more, because it has ended or all have given up:
   * whoever comes then has to begin anew.
   */
  constructor(work: (calledOff: AbortSignal) => Promise<R>, over: () => void) {
    this.#over = over;
    this.#result = work(this.#calledOff.signal);
    // All who waited may have left before it ends.
    this.#result.catch(() => {});
  }

  /** Resolves with the work, or rejects with the reason of the signal, which ends this wait alone. */
  async join(signal: AbortSignal | undefined): Promise<R> {
    this.#waiting++;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      this.#waiting--;
      if (this.#waiting === 0) {
        this.#over();
        this.#calledOff.abort(signal?.reason);
      }
    }
  }
}
