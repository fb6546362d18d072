import { type TSchema, Type } from './typebox.ts';
import { validatorOf } from './validator.ts';

/**
 * Reads what a contribution answered, so that the owner of the point may rely on it: returns the answer, or
 * what of it fits while `misfit` counts the rest against the contributor, or throws for one that does not fit
 * at all. An answer that is a promise is read when it has come.
 */
export type AnswerReader<R> = (answer: unknown, misfit: (problem: string) => void) => R;

type Method = (...args: never[]) => unknown;

/** A reader for what a contributed function answers, or one for each method of a contributed object. */
export type AnswersOf<T> = T extends Method
  ? AnswerReader<Awaited<ReturnType<T>>>
  : {
      readonly [Key in keyof T as NonNullable<T[Key]> extends Method ? Key : never]-?: NonNullable<
        T[Key]
      > extends infer Own extends Method
        ? AnswerReader<Awaited<ReturnType<Own>>>
        : never;
    };

/**
 * An answer that matches a schema, which has to be one of `R`: it is not inferred, since that makes every
 * plugin that imports a point slow to compile.
 */
export function answerOf<R>(schema: TSchema): AnswerReader<R> {
  return (answer) => {
    const validator = validatorOf(schema);
    if (!validator.check(answer)) throw new TypeError(`its answer does not fit: ${validator.explain(answer)}`);
    return answer as R;
  };
}

/** The same, or `undefined` for one who has nothing to say. */
export function answerOrNothing<R>(schema: TSchema): AnswerReader<R | undefined> {
  const read = answerOf<R>(schema);
  return (answer, misfit) => (answer === undefined ? undefined : read(answer, misfit));
}

/** Entries that match a schema, of any iterable, also one without end: at most `max` are looked at. */
export function listOf<Entry>(entry: TSchema, max: number): AnswerReader<readonly Entry[]> {
  return (answer, misfit) => {
    const validator = validatorOf(entry);
    const list: Entry[] = [];
    let problem: string | undefined;
    let looked = 0;
    for (const one of answer as Iterable<unknown>) {
      if (++looked > max) break;
      if (validator.check(one)) list.push(one as Entry);
      else problem ??= `entry ${looked} of its answer does not fit: ${validator.explain(one)}`;
    }
    if (problem !== undefined) misfit(problem);
    return list;
  };
}

/** For methods that answer nothing, whatever they return. */
export const noAnswer: AnswerReader<void> = () => undefined;

/** For answers that the owner of the point checks itself. */
export const anyAnswer: AnswerReader<unknown> = (answer) => answer;

export const yesOrNo: AnswerReader<boolean> = answerOf(Type.Boolean());

type Readers = AnswerReader<unknown> | Readonly<Record<string, AnswerReader<unknown>>>;

/** What was contributed, with every answer read. Properties that are no methods are as they are. */
export function withReadAnswers<T>(implementation: T, readers: Readers, misfit: (problem: string) => void): T {
  const reading =
    (method: Method, own: unknown, reader: AnswerReader<unknown>) =>
    (...args: never[]): unknown => {
      const answer = Reflect.apply(method, own, args);
      return isThenable(answer)
        ? Promise.resolve(answer).then((value) => reader(value, misfit))
        : reader(answer, misfit);
    };
  if (typeof readers === 'function') return reading(implementation as Method, undefined, readers) as T;
  const get = (_: object, key: string | symbol): unknown => {
    const value: unknown = Reflect.get(implementation as object, key);
    if (typeof value !== 'function') return value;
    const reader = Object.hasOwn(readers, key) ? readers[key as string] : undefined;
    return reading(value as Method, implementation, reader ?? anyAnswer);
  };
  // Nothing of the implementation itself is behind the proxy: a frozen one would forbid another method in its place.
  return new Proxy({}, { get }) as T;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
