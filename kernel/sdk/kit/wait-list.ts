export interface WaitListOptions {
  /** Who may wait at once. */
  readonly max: number;
  /** What one more is refused with. */
  full(): Error;
}

interface Waiter<T> {
  readonly go: (value: T) => void;
  readonly refuse: (reason: unknown) => void;
}

/** Those who wait for something, first come, first served: each until it is let on or its signal aborts. */
export class WaitList<T = void> {
  readonly #options: WaitListOptions;
  readonly #waiters = new Set<Waiter<T>>();

  constructor(options: WaitListOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves with what {@link next} or {@link all} passes on. Rejects with `full()` or the signal's reason. */
  wait(signal?: AbortSignal): Promise<T> {
    if (this.#waiters.size >= this.#options.max) return Promise.reject(this.#options.full());
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter<T> = {
        go: (value) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(value);
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Lets the first in line on; false when nobody waits. */
  next(value: T): boolean {
    const [first] = this.#waiters;
    if (first === undefined) return false;
    this.#waiters.delete(first);
    first.go(value);
    return true;
  }

  /** Lets everybody on who waits now, in order. */
  all(value: T): void {
    for (const waiter of this.#take()) waiter.go(value);
  }

  /** Refuses everybody who waits now. */
  refuseAll(reason: unknown): void {
    for (const waiter of this.#take()) waiter.refuse(reason);
  }

  #take(): Waiter<T>[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }
}
