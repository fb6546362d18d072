import type { Clock, TimerHandle } from '../sdk/clock.ts';
import { clockErrors } from './errors.ts';
import { sleepOn } from './sleep.ts';

/** 2026-01-01T00:00:00Z: a plausible "now", so that code which compares dates behaves as in life. */
const START_MS = 1_767_225_600_000;

interface Entry {
  readonly atMs: number;
  /** Breaks ties: timers due at the same instant run in the order they were set. */
  readonly order: number;
  run: (() => void) | undefined;
}

export interface VirtualClockOptions {
  readonly startMs?: number;
  /** While this says true (work on the thread pool, say) time stands still. */
  readonly busy?: () => boolean;
}

/**
 * Time that moves only when told. Timers run in order of their time, then of their making, and
 * between two of them every promise that can settle does.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  readonly #busy: () => boolean;
  readonly #heap: Entry[] = [];
  #nowMs: number;
  #order = 0;
  #cancelled = 0;
  #advancing = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#startMs = options.startMs ?? START_MS;
    this.#nowMs = this.#startMs;
    this.#busy = options.busy ?? (() => false);
  }

  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  /** Timers that are set and not cancelled. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  timer(delayMs: number, run: () => void): TimerHandle {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(entry);
    return {
      cancel: () => {
        if (entry.run === undefined) return;
        entry.run = undefined;
        this.#cancelled++;
        this.#sweep();
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Moves time forward by `ms`, running what falls due. What a timer throws is thrown here. */
  async advance(ms: number): Promise<void> {
    await this.#exclusively(async () => {
      const untilMs = this.#nowMs + ms;
      await this.settle();
      while (await this.#step(untilMs));
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      await this.settle();
    });
  }

  /** Runs timers until none is left or `limitMs` have passed; says how many ms went by. */
  async runUntilIdle(limitMs = 3_600_000): Promise<number> {
    const startMs = this.#nowMs;
    await this.#exclusively(async () => {
      await this.settle();
      while (await this.#step(startMs + limitMs));
    });
    return this.#nowMs - startMs;
  }

  /** Moves time forward until `promise` settles. @throws clock/stalled after `limitMs` of virtual time */
  async until<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    const deadlineMs = this.#nowMs + limitMs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.#exclusively(async () => {
      await this.settle();
      while (!settled && (await this.#step(deadlineMs)));
    });
    if (!settled) throw clockErrors.make('stalled', { limitMs });
    return promise;
  }

  /** Lets every promise, microtask and immediate that is ready run, without moving time. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#busy());
  }

  async #step(untilMs: number): Promise<boolean> {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > untilMs) return false;
    this.#pop();
    const { run } = next;
    if (run === undefined) {
      this.#cancelled--;
      return true;
    }
    next.run = undefined;
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    run();
    await this.settle();
    return true;
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#advancing) throw clockErrors.make('already-running');
    this.#advancing = true;
    try {
      await work();
    } finally {
      this.#advancing = false;
    }
  }

  /** Cancelled timers stay in the heap until they are most of it: deadlines are nearly all cancelled. */
  #sweep(): void {
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#heap.length) return;
    const live = this.#heap.filter((entry) => entry.run !== undefined).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#heap.splice(0, this.#heap.length, ...live);
    this.#cancelled = 0;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}
