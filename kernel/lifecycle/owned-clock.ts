import { linkSignals } from '../clock/linked-signal.ts';
import { sleepOn } from '../clock/sleep.ts';
import type { Clock, TimerHandle } from '../sdk/clock.ts';

/**
 * The clock of one generation: its timers end when `signal` aborts, and what they throw is its failure and
 * nobody else's. A sleep rejects with the reason of whichever signal aborts first.
 */
export class OwnedClock implements Clock {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #run: (fire: () => void) => void;
  readonly #timers = new Set<TimerHandle>();

  /** `run` calls what falls due, and answers for what it throws. */
  constructor(clock: Clock, signal: AbortSignal, run: (fire: () => void) => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#run = run;
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers) timer.cancel();
      this.#timers.clear();
    });
  }

  get virtual(): boolean {
    return this.#clock.virtual === true;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  timer(delayMs: number, run: () => void): TimerHandle {
    if (this.#signal.aborted) return { cancel() {} };
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      this.#run(run);
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        if (this.#timers.delete(timer)) timer.cancel();
      },
    };
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal === undefined || signal === this.#signal) return sleepOn(this.#clock, delayMs, this.#signal);
    const linked = linkSignals([signal, this.#signal]);
    try {
      await sleepOn(this.#clock, delayMs, linked.signal);
    } finally {
      linked.dispose();
    }
  }
}
