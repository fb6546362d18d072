// The package's own door loads 220 files of operators that nobody uses here.
import { config } from 'rxjs/internal/config';
import { Observable } from 'rxjs/internal/Observable';
import { Subject } from 'rxjs/internal/Subject';
import type { CounterRegistry } from '../observe/counters.ts';
import type { Clock } from '../sdk/clock.ts';
import { deepFreeze } from '../sdk/kit/freeze.ts';
import type { Log } from '../sdk/log.ts';
import type { Topic } from '../sdk/topic.ts';
import type { Bus, BusEvent } from './bus.ts';
import { Subscriber } from './subscriber.ts';

/** Events published by listeners while one is delivered; beyond it they are dropped and counted. */
const BACKLOG_MAX = 10_000;

export interface BusOptions {
  readonly log: Log;
  readonly counters: CounterRegistry;
  readonly clock: Clock;
}

/**
 * The node's bus. Delivery is synchronous and in publishing order: what a listener publishes is
 * delivered after the event it is handling has reached everybody.
 *
 * RxJS rethrows what a stream's own operators throw as an uncaught exception; making a bus points
 * that hook, which is global, at this bus's log.
 */
export function createBus({ log, counters, clock }: BusOptions): Bus {
  const topics = new Map<string, Subject<unknown>>();
  const everything = new Subject<BusEvent>();
  const held = new Map<string, Map<string, number>>();
  const backlog: BusEvent[] = [];
  let delivering = false;
  let closed = false;

  config.onUnhandledError = (error) => log.error('stream-failed', { error });

  /** Subjects live as long as somebody listens, so their number is bounded by the subscriptions. */
  const listen = (owner: string, name: string, next: (event: unknown) => void, complete?: () => void): (() => void) => {
    let subject = topics.get(name);
    if (subject === undefined) {
      subject = new Subject();
      topics.set(name, subject);
    }
    const source = subject;
    const inner = source.subscribe({ next, complete });
    count(held, owner, name, 1);
    return () => {
      if (inner.closed) return;
      inner.unsubscribe();
      count(held, owner, name, -1);
      if (!source.observed && topics.get(name) === source) topics.delete(name);
    };
  };

  const drain = (): void => {
    delivering = true;
    for (let at = 0; at < backlog.length; at++) {
      const entry = backlog[at] as BusEvent;
      topics.get(entry.topic)?.next(entry.event);
      everything.next(entry);
    }
    backlog.length = 0;
    delivering = false;
  };

  return {
    publish(topic, event) {
      if (closed) return;
      if (backlog.length >= BACKLOG_MAX) {
        counters.of('kernel/bus').add(`dropped:${topic.name}`);
        return;
      }
      backlog.push(Object.freeze({ topic: topic.name, atMs: clock.now(), event: deepFreeze(event) }));
      if (!delivering) drain();
    },

    subscribe<T>(owner: string, topic: Topic<T>, listener: (event: T) => void | Promise<void>) {
      const subscriber = new Subscriber(owner, topic.name, listener, { log, counters: counters.of(owner), clock });
      const unsubscribe = listen(owner, topic.name, (event) => subscriber.deliver(event as T));
      return () => {
        unsubscribe();
        subscriber.stop();
      };
    },

    stream<T>(topic: Topic<T>, owner = 'kernel/stream') {
      return new Observable<T>((observer) =>
        listen(
          owner,
          topic.name,
          (event) => observer.next(event as T),
          () => observer.complete(),
        ),
      );
    },

    all: () => everything.asObservable(),
    subscriptions: (owner) => [...(held.get(owner)?.keys() ?? [])].sort(),

    close() {
      closed = true;
      for (const subject of topics.values()) subject.complete();
      everything.complete();
      topics.clear();
      held.clear();
    },
  };
}

function count(held: Map<string, Map<string, number>>, owner: string, name: string, by: number): void {
  const names = held.get(owner) ?? new Map<string, number>();
  const left = (names.get(name) ?? 0) + by;
  if (left > 0) names.set(name, left);
  else names.delete(name);
  if (names.size > 0) held.set(owner, names);
  else held.delete(owner);
}
