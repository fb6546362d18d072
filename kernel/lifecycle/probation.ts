import type { Clock, TimerHandle } from '../sdk/clock.ts';
import type { Generation } from './generation.ts';

/** New code must behave for this long before the old code is let go. */
export const PROBATION_MS = 30_000;
/** Unexpected failures within probation that send it back, or off when there is nothing to go back to. */
export const PROBATION_FAILURES = 3;
const CHECK_EVERY_MS = 500;

/** Watches a fresh generation; calls `onFailed` once, at most, with the reason to swap back. */
export class Probation {
  readonly #clock: Clock;
  readonly #generation: Generation;
  readonly #onFailed: (reason: string) => void;
  readonly #endsAtMs: number;
  #timer: TimerHandle | undefined;
  /** What else goes back with the code: what the change wrote down. */
  undo = (): void => {};

  constructor(clock: Clock, generation: Generation, onFailed: (reason: string) => void) {
    this.#clock = clock;
    this.#generation = generation;
    this.#onFailed = onFailed;
    this.#endsAtMs = clock.monotonic() + PROBATION_MS;
    this.#next();
  }

  /** Ends it now, with this reason. */
  fail(reason: string): void {
    this.cancel();
    this.#onFailed(reason);
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    this.#timer = this.#clock.timer(CHECK_EVERY_MS, () => {
      const verdict = this.#verdict();
      if (verdict !== undefined) this.#onFailed(verdict);
      else if (this.#clock.monotonic() < this.#endsAtMs) this.#next();
    });
  }

  #verdict(): string | undefined {
    const { failures, parts } = this.#generation;
    if (failures >= PROBATION_FAILURES) return `${failures} failures within ${PROBATION_MS / 1_000} s of its start`;
    try {
      return parts.healthy?.() === false ? 'it reported itself unhealthy' : undefined;
    } catch (error) {
      return `healthy() threw: ${String(error)}`;
    }
  }
}
