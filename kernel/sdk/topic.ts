/**
 * A kind of event on the bus: a frozen fact in the past tense, named `area/past-tense`.
 * Compared by name, as tokens are.
 */
export interface Topic<T> {
  readonly kind: 'topic';
  readonly name: string;
  readonly __event?: T;
}

export function defineTopic<T>(name: string): Topic<T> {
  return Object.freeze({ kind: 'topic' as const, name });
}
