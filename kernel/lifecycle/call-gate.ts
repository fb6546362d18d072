import { lifecycleErrors } from './errors.ts';
import type { Clock } from '../sdk/clock.ts';
import { WaitList } from '../sdk/kit/wait-list.ts';
import { within } from './scope.ts';

/** Calls that may wait for one swap; the next one is told to retry. */
export const HOLD_MAX_CALLS = 1_024;

/**
 * Counts the service and command calls running in one plugin, and makes new ones wait during a swap.
 * One gate lives as long as its plugin is known to the node, over all generations.
 */
export class CallGate {
  readonly #plugin: string;
  readonly #waiters: WaitList;
  readonly #aborts = new Set<AbortController>();
  #state: 'open' | 'held' | 'off' = 'off';
  /** Calls of this generation. Those a drain gave up on stay behind in a count of their own. */
  #calls = { running: 0 };
  #idle: (() => void) | undefined;

  constructor(plugin: string) {
    this.#plugin = plugin;
    this.#waiters = new WaitList({
      max: HOLD_MAX_CALLS,
      full: () => lifecycleErrors.make('hold-full', { name: plugin, cap: HOLD_MAX_CALLS }),
    });
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
    return this.#waiters.wait(signal).then(() => this.run(what, call, signal));
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
    this.#waiters.all();
  }

  /** Refuses everybody from now on. */
  shut(): void {
    this.#state = 'off';
    this.#waiters.all();
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
}
