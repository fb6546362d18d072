import { type LinkedSignal, linkSignals } from '../clock/linked-signal.ts';
import { lifecycleErrors } from './errors.ts';
import type { Clock } from '../sdk/clock.ts';
import { WaitList } from '../sdk/kit/wait-list.ts';
import { within } from './scope.ts';

/** Calls that may wait for one swap; the next one is told to retry. */
export const HOLD_MAX_CALLS = 1_024;

/** A call that a swap may end, and whether one began while it ran. */
interface Abortable {
  readonly own: LinkedSignal;
  readonly restart: boolean;
  interrupted: boolean;
}

/**
 * Counts the service and command calls running in one plugin, and makes new ones wait during a swap.
 * One gate lives as long as its plugin is known to the node, over all generations.
 */
export class CallGate {
  readonly #plugin: string;
  readonly #waiters: WaitList;
  readonly #abortable = new Set<Abortable>();
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
    return this.#waiters.wait(signal).then(() => {
      signal?.throwIfAborted();
      return this.run(what, call, signal);
    });
  }

  /**
   * The same for a call that the swap may abort when it does not end in time. With `restart` it is aborted
   * when the swap begins, and runs again after it: nobody waits for it, and its caller does not notice.
   */
  async runAbortable<R>(
    what: string,
    call: (signal: AbortSignal) => R | Promise<R>,
    signal: AbortSignal | undefined,
    { restart = false }: { readonly restart?: boolean | undefined } = {},
  ): Promise<Awaited<R>> {
    for (;;) {
      const running: Abortable = { own: linkSignals([signal]), restart, interrupted: false };
      const enter = (): R | Promise<R> => {
        this.#abortable.add(running);
        return call(running.own.signal);
      };
      try {
        return await this.run(what, enter, signal);
      } catch (error) {
        if (!running.interrupted) throw error;
        signal?.throwIfAborted();
      } finally {
        this.#abortable.delete(running);
        running.own.dispose();
      }
    }
  }

  /** New calls wait from now on; those that can run again are aborted, and wait with them. */
  hold(): void {
    if (this.#state !== 'open') return;
    this.#state = 'held';
    const reason = lifecycleErrors.make('swap-aborted-call', { name: this.#plugin, limit: 0 });
    for (const running of this.#abortable) {
      if (!running.restart) continue;
      running.interrupted = true;
      running.own.abort(reason);
    }
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
    for (const { own } of this.#abortable) own.abort(reason);
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
