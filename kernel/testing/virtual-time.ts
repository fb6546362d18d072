import { VirtualClock, type VirtualClockOptions } from '../clock/virtual-clock.ts';
import { pendingVerifications } from '../identity/signature.ts';
import { codeOf } from '../sdk/errors.ts';
import { testingErrors } from './errors.ts';

/** What no timer leads to (a thread, a process) may take this long in real time. */
const REAL_LIMIT_MS = 2_000;

/**
 * The one clock of a network, moved by whoever waits. Several may wait at once: the first moves it for
 * all, and when its own wait is over the next one goes on.
 */
export class VirtualTime {
  readonly clock: VirtualClock;
  #moving: Promise<unknown> | undefined;

  constructor(options: VirtualClockOptions = {}) {
    this.clock = new VirtualClock({ busy: isWorking, ...options });
  }

  /** Milliseconds since the start of the network. */
  get nowMs(): number {
    return this.clock.monotonic();
  }

  /**
   * Moves time until `promise` settles.
   *
   * @throws testing/not-in-time after `withinMs` of virtual time, testing/never when no timer is left
   *   and two seconds of real time change nothing
   */
  async until<T>(promise: Promise<T>, withinMs: number, what: string): Promise<T> {
    const endMs = this.nowMs + withinMs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    let idleSinceMs: number | undefined;
    while (!settled) {
      if (this.#moving !== undefined) {
        await Promise.race([this.#moving, promise.then(mark, mark)]);
      } else if (await this.#moveUntil(promise, endMs - this.nowMs)) {
        break;
      } else if (this.clock.pending > 0 || this.nowMs >= endMs) {
        throw testingErrors.make('not-in-time', { what, withinMs, atMs: Math.round(this.nowMs) });
      } else {
        // No timer is left to run: only something outside of virtual time can bring it about.
        idleSinceMs ??= performance.now();
        if (performance.now() - idleSinceMs > REAL_LIMIT_MS)
          throw testingErrors.make('never', { what, atMs: Math.round(this.nowMs) });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    return promise;
  }

  /** Lets `ms` go by; everything that falls due in them runs. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    while (this.#moving !== undefined) await this.#moving;
    await this.#move(this.clock.advance(Math.max(0, endMs - this.nowMs)));
  }

  /** True once `promise` has settled, false when no timer is left that could lead to it in time. */
  async #moveUntil(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
    const outcome = this.clock.until(
      promise.then(
        () => true,
        () => true,
      ),
      Math.max(0, withinMs),
    );
    try {
      return await this.#move(outcome);
    } catch (error) {
      if (codeOf(error) === 'clock/stalled') return false;
      throw error;
    }
  }

  async #move<T>(work: Promise<T>): Promise<T> {
    const done = work.then(
      () => {},
      () => {},
    );
    this.#moving = done;
    try {
      return await work;
    } finally {
      this.#moving = undefined;
    }
  }
}

/** Work on libuv's threads: virtual time stands still until it is done. */
function isWorking(): boolean {
  return pendingVerifications() > 0 || process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'));
}
