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
  /** `owner` names who is at fault for a slow or throwing listener. Gives the unsubscribe. */
  subscribe<T>(owner: string, topic: Topic<T>, listener: (event: T) => void | Promise<void>): () => void;
  stream<T>(topic: Topic<T>): Observable<T>;
  all(): Observable<BusEvent>;
  /** Topic names `owner` listens to. */
  subscriptions(owner: string): readonly string[];
  close(): void;
}
