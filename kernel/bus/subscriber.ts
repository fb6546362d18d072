import type { Clock } from '../sdk/clock.ts';
import type { Counters, Log } from '../sdk/log.ts';

/** Promises of one listener that may be pending at once; further events wait. */
const PENDING_MAX = 64;
/** Events that wait for one listener; beyond it the newest is dropped and counted. */
const QUEUE_MAX = 1_024;
/** After this a pending promise no longer takes up a place: a listener that hangs must not stop its own events. */
const PENDING_LIMIT_MS = 60_000;

/**
 * One listener with its queue. Calls start in publishing order; asynchronous ones overlap, up to
 * 64. What it throws or rejects with is logged and counted as `listener-failed`, and it stays
 * subscribed.
 */
export class Subscriber<T> {
  readonly #owner: string;
  readonly #topic: string;
  readonly #listener: (event: T) => void | Promise<void>;
  readonly #log: Log;
  readonly #counters: Counters;
  readonly #clock: Clock;
  #queue: T[] = [];
  #pending = 0;
  #dropping = false;
  #stopped = false;

  constructor(
    owner: string,
    topic: string,
    listener: (event: T) => void | Promise<void>,
    tools: { log: Log; counters: Counters; clock: Clock },
  ) {
    this.#owner = owner;
    this.#topic = topic;
    this.#listener = listener;
    this.#log = tools.log;
    this.#counters = tools.counters;
    this.#clock = tools.clock;
  }

  deliver(event: T): void {
    if (this.#pending < PENDING_MAX) {
      this.#call(event);
      return;
    }
    if (this.#queue.length < QUEUE_MAX) {
      this.#queue.push(event);
      return;
    }
    this.#counters.add('events-dropped');
    // One line for a run of drops: the counter has their number.
    if (!this.#dropping) this.#log.warn('listener-too-slow', { owner: this.#owner, topic: this.#topic });
    this.#dropping = true;
  }

  /** Forgets what is queued; calls under way finish unobserved. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
  }

  #call(event: T): void {
    try {
      const result: unknown = this.#listener(event);
      if (result instanceof Promise) this.#follow(result);
    } catch (error) {
      this.#failed(error);
    }
  }

  #follow(promise: Promise<unknown>): void {
    this.#pending++;
    let open = true;
    const settle = (): void => {
      if (!open) return;
      open = false;
      timer.cancel();
      this.#pending--;
      this.#next();
    };
    const timer = this.#clock.timer(PENDING_LIMIT_MS, () => {
      this.#counters.add('listener-stalled');
      this.#log.warn('listener-stalled', { owner: this.#owner, topic: this.#topic, limitMs: PENDING_LIMIT_MS });
      settle();
    });
    promise.then(settle, (error: unknown) => {
      this.#failed(error);
      settle();
    });
  }

  #next(): void {
    while (!this.#stopped && this.#pending < PENDING_MAX) {
      const event = this.#queue.shift();
      if (event === undefined) {
        this.#dropping = false;
        return;
      }
      this.#call(event);
    }
  }

  #failed(error: unknown): void {
    this.#counters.add('listener-failed');
    this.#log.error('listener-failed', { owner: this.#owner, topic: this.#topic, error });
  }
}
