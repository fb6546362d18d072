import type { Clock } from '../sdk/clock.ts';
import { clockErrors } from './errors.ts';

export interface LinkedSignal {
  /** Aborts with the reason of the first parent that does, with clock/deadline, or by `abort`. */
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** Takes the listeners off the parents and the timer off the clock. Call it when the work is done. */
  dispose(): void;
}

/**
 * One signal for several parents and a deadline, for work shorter-lived than its parents.
 *
 * `AbortSignal.any` keeps about 1.2 KB on a long-lived parent for every call, for good; this keeps
 * nothing once it aborted or `dispose` was called.
 */
export function linkSignals(
  parents: readonly (AbortSignal | undefined)[],
  options: { readonly deadlineMs?: number; readonly clock?: Clock } = {},
): LinkedSignal {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  const dispose = (): void => {
    for (const step of undo.splice(0)) step();
  };
  const abort = (reason?: unknown): void => {
    dispose();
    controller.abort(reason);
  };
  for (const parent of parents) {
    if (parent === undefined) continue;
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    const onAbort = (): void => abort(parent.reason);
    parent.addEventListener('abort', onAbort, { once: true });
    undo.push(() => parent.removeEventListener('abort', onAbort));
  }
  const { deadlineMs, clock } = options;
  if (deadlineMs !== undefined && clock !== undefined && !controller.signal.aborted) {
    const timer = clock.timer(deadlineMs, () => abort(clockErrors.make('deadline', { deadlineMs })));
    undo.push(() => timer.cancel());
  }
  return { signal: controller.signal, abort, dispose };
}
