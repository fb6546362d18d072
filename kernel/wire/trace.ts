import type { Clock } from '../sdk/clock.ts';
import type { Log } from '../sdk/log.ts';

/** One frame in or out, as `itsgoin trace` prints it: one JSON line each. */
export interface TraceRecord {
  readonly at_ms: number;
  readonly direction: 'in' | 'out';
  /** NodeId. */
  readonly peer: string;
  readonly connection: number;
  /** `0x42`. */
  readonly code: string;
  readonly name: string;
  readonly stream: 'uni' | 'bi';
  /** Header and payload. */
  readonly bytes: number;
  /** `sent` (out), `ok` (in), or why it was refused: `malformed`, `rate-limited`, ... */
  readonly outcome: string;
}

/**
 * Receives records in batches, in order. A batch is delivered when the one before has settled;
 * `dropped` counts the records lost since then because the queue (4,096) was full.
 */
export type TraceListener = (records: readonly TraceRecord[], dropped: number) => void | Promise<void>;

const QUEUE_MAX_RECORDS = 4_096;

interface Subscription {
  readonly listener: TraceListener;
  queue: TraceRecord[];
  dropped: number;
  delivering: boolean;
  closed: boolean;
}

/** A frame as it is recorded: its code as a number, the time added by the trace. */
export type FrameRecord = Omit<TraceRecord, 'at_ms' | 'code'> & { readonly code: number };

/** Every frame of the node to any number of subscribers. With none, `active` is false and nothing is built. */
export class Trace {
  active = false;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #subscriptions = new Set<Subscription>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns the unsubscribe. A listener that throws or rejects is reported and goes on receiving. */
  subscribe(listener: TraceListener): () => void {
    const subscription: Subscription = { listener, queue: [], dropped: 0, delivering: false, closed: false };
    this.#subscriptions.add(subscription);
    this.active = true;
    return () => {
      subscription.closed = true;
      subscription.queue = [];
      this.#subscriptions.delete(subscription);
      this.active = this.#subscriptions.size > 0;
    };
  }

  /** Callers ask `active` first, so that a silent trace costs one property read. */
  record(fields: FrameRecord): void {
    const code = `0x${fields.code.toString(16).toUpperCase().padStart(2, '0')}`;
    const record = Object.freeze({ at_ms: this.#clock.now(), ...fields, code });
    for (const subscription of this.#subscriptions) {
      if (subscription.queue.length < QUEUE_MAX_RECORDS) subscription.queue.push(record);
      else subscription.dropped++;
      if (!subscription.delivering) {
        subscription.delivering = true;
        queueMicrotask(() => void this.#deliver(subscription));
      }
    }
  }

  async #deliver(subscription: Subscription): Promise<void> {
    while (subscription.queue.length > 0 && !subscription.closed) {
      const { queue, dropped } = subscription;
      subscription.queue = [];
      subscription.dropped = 0;
      try {
        await subscription.listener(queue, dropped);
      } catch (error) {
        this.#log.warn('trace-listener-failed', { error });
      }
    }
    subscription.delivering = false;
  }
}
