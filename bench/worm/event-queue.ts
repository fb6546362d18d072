import type { Clock, TimerHandle } from '../../kernel/index.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Virtual time for models without promises: a binary heap of callbacks, some millions a second. */
export class EventQueue implements Pick<Clock, 'monotonic' | 'timer'> {
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #order = 0;

  monotonic(): number {
    return this.#nowMs;
  }

  timer(delayMs: number, run: () => void): TimerHandle {
    const entry = this.#push(delayMs, run);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** The same without a handle. */
  after(delayMs: number, run: () => void): void {
    this.#push(delayMs, run);
  }

  /** Runs callbacks in the order of their time until `until` says so or none is left. */
  run(until: () => boolean): void {
    while (!until()) {
      const next = this.#pop();
      if (next === undefined) return;
      this.#nowMs = next.atMs;
      next.run?.();
    }
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #push(delayMs: number, run: () => void): Entry {
    const entry: Entry = { atMs: this.#nowMs + delayMs, order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
    return entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      const below = heap[child] as Entry;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}
