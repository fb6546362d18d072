import type { Clock } from '../sdk/clock.ts';
import { sleepOn } from './sleep.ts';

/** Node takes longer delays for 1 ms, so they are waited out in pieces. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export function systemClock(): Clock {
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer(delayMs, run) {
      let handle: NodeJS.Timeout;
      const arm = (leftMs: number): void => {
        handle =
          leftMs > TIMEOUT_MAX_MS
            ? setTimeout(() => arm(leftMs - TIMEOUT_MAX_MS), TIMEOUT_MAX_MS)
            : setTimeout(run, leftMs);
      };
      arm(delayMs);
      return { cancel: () => clearTimeout(handle) };
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return clock;
}
