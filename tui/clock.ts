/** Time as the UI sees it: real on a terminal, stepped by hand in tests. */
export interface UiClock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `run` once after `delayMs`; the returned function calls it off. Does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

export const realClock: UiClock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Calls `run` every `everyMs` until the returned function is called; a run under way delays the next. */
export function every(clock: UiClock, everyMs: number, run: () => void | Promise<void>): () => void {
  let stopped = false;
  let cancel = clock.after(everyMs, tick);
  function tick(): void {
    void Promise.resolve(run()).finally(() => {
      if (!stopped) cancel = clock.after(everyMs, tick);
    });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
