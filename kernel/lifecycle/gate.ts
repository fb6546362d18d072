import { lifecycleErrors } from './errors.ts';
import type { Clock } from '../sdk/clock.ts';
import { within } from './scope.ts';

/** Calls that may wait for one swap; the next one is told to retry. */
export const HOLD_MAX_CALLS = 1_024;

interface Waiter {
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Counts the service and command calls running in one plugin, and makes new ones wait during a swap.
 * One gate lives as long as its plugin is known to the node, over all generations.
 */
export class Gate {
  readonly #plugin: string;
  readonly #waiters = new Set<Waiter>();
  readonly #aborts = new Set<AbortController>();
  #state: 'open' | 'held' | 'off' = 'off';
  /** Calls of this generation. Those a drain gave up on stay behind in a count of their own. */
  #calls = { running: 0 };
  #idle: (() => void) | undefined;

  constructor(plugin: string) {
    this.#plugin = plugin;
  }

  get state(): 'open' | 'held' | 'off' {
    return this.#state;
  }
  get running(): number {
    return this.#calls.running;
  }
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Runs `call` now when the gate is open, after the swap when it is held. */
  run<R>(what: string, call: () => R | Promise<R>, signal?: AbortSignal): Promise<Awaited<R>> {
    if (this.#state === 'open') return this.#enter(call);
    if (this.#state === 'off') return Promise.reject(lifecycleErrors.make('service-off', { service: what }));
    return this.#wait(signal).then(() => this.run(what, call, signal));
  }

  /** The same for a call that the swap may abort when it does not end in time. */
  runAbortable<R>(
    what: string,
    call: (signal: AbortSignal) => R | Promise<R>,
    signal: AbortSignal,
  ): Promise<Awaited<R>> {
    return this.run(
      what,
      async () => {
        const own = new AbortController();
        const abort = (): void => own.abort(signal.reason);
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort, { once: true });
        this.#aborts.add(own);
        try {
          return await call(own.signal);
        } finally {
          this.#aborts.delete(own);
          signal.removeEventListener('abort', abort);
        }
      },
      signal,
    ) as Promise<Awaited<R>>;
  }

  hold(): void {
    if (this.#state === 'open') this.#state = 'held';
  }

  /** Lets everybody in, in the order they came. */
  open(): void {
    this.#state = 'open';
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.enter();
  }

  /** Refuses everybody from now on. */
  shut(): void {
    this.#state = 'off';
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.enter();
  }

  /** Resolves when nothing runs; after `limitMs` aborts what can be aborted and resolves all the same. */
  async drain(limitMs: number, clock: Clock): Promise<void> {
    if (this.#calls.running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    if (await within(idle, limitMs, clock)) return;
    const reason = lifecycleErrors.make('swap-aborted-call', { name: this.#plugin, limit: limitMs });
    this.#calls = { running: 0 };
    for (const call of this.#aborts) call.abort(reason);
  }

  #enter<R>(call: () => R | Promise<R>): Promise<Awaited<R>> {
    const calls = this.#calls;
    calls.running++;
    let result: R | Promise<R>;
    try {
      result = call();
    } catch (error) {
      this.#leave(calls);
      return Promise.reject(error);
    }
    if (!(result instanceof Promise)) {
      this.#leave(calls);
      return Promise.resolve(result) as Promise<Awaited<R>>;
    }
    return result.finally(() => this.#leave(calls)) as Promise<Awaited<R>>;
  }

  #leave(calls: { running: number }): void {
    if (--calls.running > 0 || calls !== this.#calls) return;
    this.#idle?.();
    this.#idle = undefined;
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiters.size >= HOLD_MAX_CALLS) {
      return Promise.reject(lifecycleErrors.make('hold-full', { name: this.#plugin, cap: HOLD_MAX_CALLS }));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.refuse(signal?.reason);
      const done = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        enter: () => {
          done();
          resolve();
        },
        refuse: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      if (signal?.aborted) waiter.refuse(signal.reason);
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
