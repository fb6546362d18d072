import { transportErrors } from './errors.ts';
import { QUEUED_OPENS_MAX } from './limits.ts';
import type { Stream } from './transport.ts';

/** Opens that wait, in order, for the peer's limit on one kind of stream. */
export class OpenQueue {
  #waiting: { resolve: (stream: Stream) => void; reject: (reason: unknown) => void }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** @throws transport/too-many-streams beyond the cap */
  wait(signal?: AbortSignal): Promise<Stream> {
    if (this.#waiting.length >= QUEUED_OPENS_MAX) throw transportErrors.make('too-many-streams');
    return new Promise<Stream>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(signal?.reason);
      };
      const entry = {
        resolve: (stream: Stream) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(stream);
        },
        reject: (reason: unknown) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
    });
  }

  /** Serves the first in line with a stream. */
  serve(open: () => Stream): void {
    this.#waiting.shift()?.resolve(open());
  }

  rejectAll(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }
}
