import type { UiClock } from '../clock.ts';

/** At most 15 redraws a second: changes within this time after a redraw are shown together. */
export const REDRAW_MS = 67;

/** The state of one screen: read with selectors, changed by patches, shown at the redraw pace. */
export interface Store<T extends object> {
  get(): T;
  set(patch: Partial<T>): void;
  subscribe(listener: () => void): () => void;
}

/**
 * The shared pace of all stores. The first change after a quiet time is shown at once (in a microtask,
 * so that one key press with several changes is one redraw), the following ones wait for the next slot.
 */
export class RedrawPace {
  #clock: UiClock;
  #waiting = new Set<() => void>();
  #planned = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: UiClock) {
    this.#clock = clock;
  }

  /** Has `show` called in the next redraw, once. */
  request(show: () => void): void {
    this.#waiting.add(show);
    if (this.#planned) return;
    this.#planned = true;
    const restMs = this.#lastMs + REDRAW_MS - this.#clock.now();
    if (restMs > 0 && restMs <= REDRAW_MS) this.#clock.after(restMs, () => this.#flush());
    else queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#planned = false;
    this.#lastMs = this.#clock.now();
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const show of due) show();
  }
}

export function createStore<T extends object>(initial: T, pace: RedrawPace): Store<T> {
  let state = initial;
  const listeners = new Set<() => void>();
  const show = () => {
    for (const listener of listeners) listener();
  };
  return {
    get: () => state,
    set: (patch) => {
      const changed = (Object.keys(patch) as (keyof T)[]).some((key) => !Object.is(state[key], patch[key]));
      if (!changed) return;
      state = { ...state, ...patch };
      pace.request(show);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
