import type { Observable } from 'rxjs';
import type { Topic } from '../sdk/topic.ts';

/** One event with its name and time, as `itsgoin events` prints it. */
export interface BusEvent {
  readonly topic: string;
  readonly atMs: number;
  readonly event: unknown;
}

/** Facts between plugins, over RxJS. Publishing never throws and never waits. */
export interface Bus {
  publish<T>(topic: Topic<T>, event: T): void;
  /**
   * `owner` names who is at fault for a slow or throwing listener. Returns the unsubscribe. Of one
   * listener at most 64 promises are pending and 1,024 events wait; newer ones are dropped and counted.
   */
  subscribe<T>(owner: string, topic: Topic<T>, listener: (event: T) => void | Promise<void>): () => void;
  /** Completes when the bus closes; never errors. `owner` makes it count among `subscriptions(owner)`. */
  stream<T>(topic: Topic<T>, owner?: string): Observable<T>;
  all(): Observable<BusEvent>;
  /** Topic names `owner` listens to. */
  subscriptions(owner: string): readonly string[];
  close(): void;
}
