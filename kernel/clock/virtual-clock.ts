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
  /**
   * Timers run in one turn of the event loop; promises still settle after each. More than the default of
   * 1 is several times faster, and only for code that waits for nothing but promises and this clock:
   * immediates and I/O come to their turn later.
   */
  readonly timersPerTurn?: number;
}

/**
 * Time that moves only when told. Timers run in order of their time, then of their making, and
 * between two of them every promise that can settle does.
 */
export class VirtualClock implements Clock {
  readonly virtual = true;
  readonly #startMs: number;
  readonly #busy: () => boolean;
  readonly #timersPerTurn: number;
  readonly #heap: Entry[] = [];
  /** Since the start: the epoch's twelve digits before the point would leave too few behind it. */
  #elapsedMs = 0;
  #order = 0;
  #cancelled = 0;
  #advancing = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#startMs = options.startMs ?? START_MS;
    this.#busy = options.busy ?? (() => false);
    this.#timersPerTurn = options.timersPerTurn ?? 1;
  }

  now(): number {
    return Math.floor(this.#startMs + this.#elapsedMs);
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  /** Timers that are set and not cancelled. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  timer(delayMs: number, run: () => void): TimerHandle {
    const entry: Entry = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, run };
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
    const untilMs = this.#elapsedMs + ms;
    await this.#exclusively(async () => {
      await this.#run(untilMs, () => false);
      this.#elapsedMs = Math.max(this.#elapsedMs, untilMs);
      await this.settle();
    });
  }

  /** Runs timers until none is left or `limitMs` have passed; says how many ms went by. */
  async runUntilIdle(limitMs = 3_600_000): Promise<number> {
    const startMs = this.#elapsedMs;
    await this.#exclusively(() => this.#run(startMs + limitMs, () => false));
    return this.#elapsedMs - startMs;
  }

  /** Moves time forward until `promise` settles. @throws clock/stalled after `limitMs` of virtual time */
  async until<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.#exclusively(() => this.#run(this.#elapsedMs + limitMs, () => settled));
    if (!settled) throw clockErrors.make('stalled', { limitMs });
    return promise;
  }

  /** Lets every promise, microtask and immediate that is ready run, without moving time. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#busy());
  }

  /** Runs one timer after the other, and between them whatever is ready, until `untilMs` or `enough`. */
  #run(untilMs: number, enough: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (settle: () => void): void => {
        over = true;
        settle();
      };
      const next = (): void => {
        if (over || this.#busy()) return;
        try {
          if (enough() || !this.#step(untilMs)) end(resolve);
        } catch (error) {
          end(() => reject(error));
        }
      };
      // Node settles promises between two immediates of one turn, so a turn can hold several timers.
      const turn = (): void => {
        if (over) return;
        for (let i = 0; i < this.#timersPerTurn; i++) setImmediate(next);
        setImmediate(turn);
      };
      turn();
    });
  }

  #step(untilMs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > untilMs) return false;
    this.#pop();
    const { run } = next;
    if (run === undefined) {
      this.#cancelled--;
      return true;
    }
    next.run = undefined;
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    run();
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
