import type { Clock, Random, TimerHandle } from '../sdk/clock.ts';
import type { Loop } from '../sdk/plugin.ts';
import { lifecycleErrors } from './errors.ts';

const DEFAULT_JITTER = 0.1;
/** Neighbour: DRAIN_MS of the swap is shorter, so a long tick is aborted by the swap first. */
const TICK_LIMIT_MAX_MS = 60_000;

export interface LoopReport {
  readonly name: string;
  readonly everyMs: number;
  readonly runs: number;
  readonly failures: number;
  readonly lastMs: number | undefined;
}

/** Repeats one declared loop: ticks never overlap, a failed tick is reported and the next one comes. */
export class LoopRunner {
  readonly #name: string;
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onFailure: (name: string, error: unknown) => void;
  #timer: TimerHandle | undefined;
  #tick: AbortController | undefined;
  #spare: AbortController | undefined;
  #ticking: Promise<void> | undefined;
  #started = false;
  #runs = 0;
  #failures = 0;
  #lastMs: number | undefined;

  constructor(
    name: string,
    loop: Loop,
    clock: Clock,
    random: Random,
    onFailure: (name: string, error: unknown) => void,
  ) {
    this.#name = name;
    this.#loop = loop;
    this.#clock = clock;
    this.#random = random;
    this.#onFailure = onFailure;
  }

  /** The tick under way, if any. */
  get ticking(): Promise<void> | undefined {
    return this.#ticking;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    // A tick that outlived a stop schedules the next one when it ends.
    if (this.#ticking) return;
    this.#schedule(this.#loop.immediate === true && this.#runs === 0 ? 0 : this.#interval());
  }

  /** No further ticks; the one under way goes on until it ends or `abort` is called. */
  stop(): void {
    this.#started = false;
    this.#timer?.cancel();
  }

  abort(reason: unknown): void {
    this.#tick?.abort(reason);
  }

  report(): LoopReport {
    const { everyMs } = this.#loop;
    return { name: this.#name, everyMs, runs: this.#runs, failures: this.#failures, lastMs: this.#lastMs };
  }

  #interval(): number {
    const jitter = this.#loop.jitter ?? DEFAULT_JITTER;
    return this.#loop.everyMs * (1 + jitter * (2 * this.#random.float() - 1));
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#clock.timer(delayMs, () => {
      const work = this.#begin();
      if (work === undefined) {
        if (this.#started) this.#schedule(this.#interval());
        return;
      }
      this.#ticking = work.finally(() => {
        this.#ticking = undefined;
        if (this.#started) this.#schedule(this.#interval());
      });
    });
  }

  /** Most ticks find nothing to do and are over at once: those cost no promise and no timer. */
  #begin(): Promise<void> | undefined {
    const tick = this.#spare ?? new AbortController();
    this.#spare = undefined;
    this.#tick = tick;
    const startedMs = this.#clock.monotonic();
    try {
      const work = this.#loop.run(tick.signal);
      if (work instanceof Promise) return this.#finish(work, tick, startedMs);
      // Nobody can have aborted it, so the next tick may have it.
      if (!tick.signal.aborted) this.#spare = tick;
    } catch (error) {
      this.#failed(tick, error);
    }
    this.#ended(startedMs);
    return undefined;
  }

  async #finish(work: Promise<void>, tick: AbortController, startedMs: number): Promise<void> {
    const limitMs = this.#loop.limitMs ?? Math.min(this.#loop.everyMs, TICK_LIMIT_MAX_MS);
    const limit = this.#clock.timer(limitMs, () =>
      tick.abort(lifecycleErrors.make('loop-timeout', { loop: this.#name, limit: limitMs })),
    );
    try {
      await work;
    } catch (error) {
      this.#failed(tick, error);
    } finally {
      limit.cancel();
      this.#ended(startedMs);
    }
  }

  #failed(tick: AbortController, error: unknown): void {
    if (tick.signal.aborted && !this.#started) return;
    this.#failures++;
    this.#onFailure(this.#name, error);
  }

  #ended(startedMs: number): void {
    this.#tick = undefined;
    this.#runs++;
    this.#lastMs = this.#clock.monotonic() - startedMs;
  }
}
