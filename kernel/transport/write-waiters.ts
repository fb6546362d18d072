/** Those who wait for a stream's write queue to shrink. */
export class WriteWaiters {
  #waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = [];

  wait(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise<void>((resolve, reject) => {
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      const entry = {
        resolve: () => {
          done();
          resolve();
        },
        reject: (reason: unknown) => {
          done();
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        entry.reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
    });
  }

  resolve(): void {
    if (this.#waiting.length === 0) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  reject(reason: unknown): void {
    if (this.#waiting.length === 0) return;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }
}
