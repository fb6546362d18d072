import type { Bus } from '../bus/bus.ts';
import type { Counters } from '../sdk/log.ts';
import type { Topic } from '../sdk/topic.ts';

/** Events kept for one generation while it is held; the oldest are dropped and counted beyond it. */
export const HELD_EVENTS_MAX = 4_096;

type Listener = (event: unknown) => void | Promise<void>;

interface Heard {
  readonly topic: string;
  readonly listener: Listener;
  readonly event: unknown;
}

/**
 * One generation's ear and mouth on the bus.
 *
 * During a swap the old and the new generation both listen; each event must reach exactly one of
 * them. So both only collect from the hold on, and at the commit one side replays what it collected
 * and the other throws it away.
 */
export class EventPort {
  readonly #bus: Bus;
  readonly #plugin: string;
  readonly #counters: Counters;
  readonly #onFailure: (where: string, error: unknown) => void;
  readonly #subscriptions = new Map<() => void, string>();
  #mode: 'deaf' | 'collecting' | 'live' = 'deaf';
  #heard: Heard[] = [];
  #unsaid: { topic: Topic<unknown>; event: unknown }[] = [];
  #committed = false;
  #closed = false;
  readonly #running = new Set<Promise<void>>();

  constructor(bus: Bus, plugin: string, counters: Counters, onFailure: (where: string, error: unknown) => void) {
    this.#bus = bus;
    this.#plugin = plugin;
    this.#counters = counters;
    this.#onFailure = onFailure;
  }

  get topics(): readonly string[] {
    return [...this.#subscriptions.values()];
  }

  /** Async listeners that have not ended. */
  get running(): readonly Promise<void>[] {
    return [...this.#running];
  }

  /** Returns the unsubscribe. Code that outlives its generation and subscribes then hears nothing. */
  on<T>(topic: Topic<T>, listener: (event: T) => void | Promise<void>): () => void {
    if (this.#closed) return () => {};
    const stop = this.#bus.subscribe(this.#plugin, topic, (event) =>
      this.#hear({ topic: topic.name, listener: listener as Listener, event }),
    );
    this.#subscriptions.set(stop, topic.name);
    return () => {
      stop();
      this.#subscriptions.delete(stop);
    };
  }

  /**
   * Publishes at once; what is said before the commit follows it. A generation that is being drained
   * or retired still speaks: its last writes are facts, and the next one does not know of them.
   */
  emit<T>(topic: Topic<T>, event: T): void {
    if (this.#committed || this.#unsaid.length >= HELD_EVENTS_MAX) this.#bus.publish(topic, event);
    else this.#unsaid.push({ topic, event });
  }

  /** From now on events are kept for `live` to replay. */
  collect(): void {
    this.#mode = 'collecting';
  }

  /** Replays what was collected, then listens directly. What the replay itself causes comes after it. */
  live(): void {
    this.#committed = true;
    for (let one = this.#heard.shift(); one; one = this.#heard.shift()) void this.#deliver(one);
    this.#mode = 'live';
    const unsaid = this.#unsaid;
    this.#unsaid = [];
    for (const { topic, event } of unsaid) this.#bus.publish(topic, event);
  }

  close(): void {
    this.#mode = 'deaf';
    this.#closed = true;
    this.#heard = [];
    for (const stop of this.#subscriptions.keys()) stop();
    this.#subscriptions.clear();
  }

  #hear(heard: Heard): void | Promise<void> {
    if (this.#mode === 'live') return this.#deliver(heard);
    if (this.#mode === 'deaf') return;
    if (this.#heard.length >= HELD_EVENTS_MAX) {
      this.#heard.shift();
      this.#counters.add('events-dropped-while-held');
    }
    this.#heard.push(heard);
  }

  /** What a listener throws is reported here and goes no further. */
  #deliver({ topic, listener, event }: Heard): void | Promise<void> {
    const report = (error: unknown): void => this.#onFailure(`listener of ${topic}`, error);
    try {
      const ending = listener(event);
      if (!(ending instanceof Promise)) return;
      const tracked: Promise<void> = ending.catch(report).finally(() => this.#running.delete(tracked));
      this.#running.add(tracked);
      return tracked;
    } catch (error) {
      report(error);
    }
  }
}
