import { linkSignals } from '../clock/linked-signal.ts';
import type { Clock } from '../sdk/clock.ts';
import { ItsgoinError } from '../sdk/errors.ts';
import type { Contributed, Contribution, ContributionCallOptions, Point } from '../sdk/point.ts';
import { lifecycleErrors } from './errors.ts';
import type { CallGate } from './call-gate.ts';

/** A contribution that takes longer is given up unless its caller allows for it; as a message's own deadline. */
export const CONTRIBUTION_LIMIT_MS = 10_000;

/** Whose contribution it is: its generation counts what goes wrong, its gate makes calls wait for a swap. */
export interface Contributor {
  readonly plugin: string;
  readonly gate: CallGate;
  /** Calls code of this plugin. */
  call<R>(code: () => R): R;
  reportFailure(where: string, error: unknown): void;
}

/** One installed contribution. */
export interface Installed {
  readonly name: string;
  readonly contributed: Contributed;
  readonly contributor: Contributor;
}

/**
 * What the owner of a point holds of one contribution. It finds the present one at each call, so it
 * stays good over swaps of the contributor.
 *
 * `ask` does not pass the gate: a swap takes the snapshot and commits in one turn of the event loop,
 * so a call that ends in its own turn is always before both or after both.
 */
export class ContributionHandle<T> implements Contribution<T> {
  readonly plugin: string;
  readonly name: string;
  readonly #point: Point<T>;
  readonly #what: string;
  readonly #gate: CallGate;
  readonly #clock: Clock;
  readonly #present: () => Installed | undefined;

  constructor(point: Point<T>, { name, contributor }: Installed, clock: Clock, present: () => Installed | undefined) {
    this.plugin = contributor.plugin;
    this.name = name;
    this.#point = point;
    this.#what = `${point.name} of ${name}`;
    this.#gate = contributor.gate;
    this.#clock = clock;
    this.#present = present;
  }

  async use<R>(
    call: (implementation: T, signal: AbortSignal) => R | Promise<R>,
    { signal, limitMs = CONTRIBUTION_LIMIT_MS, restart }: ContributionCallOptions = {},
  ): Promise<Awaited<R>> {
    const limit = linkSignals([signal], { deadlineMs: limitMs, clock: this.#clock });
    let began = false;
    try {
      const run = (own: AbortSignal): Promise<Awaited<R>> => {
        began = true;
        return this.#run(call, own);
      };
      return await this.#gate.runAbortable(this.#what, run, limit.signal, { restart });
    } catch (error) {
      if (signal?.aborted || !limit.signal.aborted) throw error;
      const timeout = lifecycleErrors.make('contribution-timeout', {
        plugin: this.plugin,
        point: this.#what,
        limit: limitMs,
      });
      // A call that waited for a swap all the time never reached the contribution.
      const installed = began ? this.#present() : undefined;
      if (installed !== undefined) this.#report(installed, timeout);
      throw timeout;
    } finally {
      limit.dispose();
    }
  }

  ask<R>(call: (implementation: T) => R, fallback: R): R {
    const installed = this.#present();
    if (installed === undefined) return fallback;
    const report = (error: unknown): void => this.#report(installed, error);
    try {
      const answer = installed.contributor.call(() => call(this.#implementation(installed)));
      if (!(answer instanceof Promise)) return answer;
      answer.catch(report);
      report(new TypeError(`${this.#what} returned a promise where an answer at once is asked for`));
    } catch (error) {
      report(error);
    }
    return fallback;
  }

  /** Settles when the call does or its signal aborts. A refusal with a code of its own is an answer, not a failure. */
  async #run<R>(
    call: (implementation: T, signal: AbortSignal) => R | Promise<R>,
    signal: AbortSignal,
  ): Promise<Awaited<R>> {
    const installed = this.#present();
    if (installed === undefined) throw lifecycleErrors.make('service-off', { service: this.#what });
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
    try {
      return await Promise.race([
        aborted,
        (async () => installed.contributor.call(() => call(this.#implementation(installed), signal)))(),
      ]);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ItsgoinError)) this.#report(installed, error);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #implementation(installed: Installed): T {
    const implementation = installed.contributed.implementation as T;
    return this.#point.read(implementation, (problem) => this.#report(installed, new TypeError(problem)));
  }

  #report({ contributor }: Installed, error: unknown): void {
    contributor.reportFailure(`contribution ${this.#what}`, error);
  }
}
