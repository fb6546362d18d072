import type { Bus } from '../bus/bus.ts';
import type { Topic } from '../sdk/topic.ts';

/** Events kept of one topic; the oldest go first. */
const KEPT_PER_TOPIC = 10_000;

/** What a node published since it was started, by topic. */
export class EventLog {
  readonly #byTopic = new Map<string, unknown[]>();

  /** Until the bus closes. */
  follow(bus: Bus): void {
    this.#byTopic.clear();
    bus.all().subscribe(({ topic, event }) => {
      const events = this.#byTopic.get(topic) ?? [];
      this.#byTopic.set(topic, events);
      if (events.push(event) > KEPT_PER_TOPIC) events.shift();
    });
  }

  of<T>({ name }: Topic<T>): readonly T[] {
    return [...((this.#byTopic.get(name) ?? []) as T[])];
  }
}
