import { type AnswersOf, withReadAnswers } from './answers.ts';

/**
 * Contribution points: how plugins extend each other.
 *
 * The plugin that owns a point declares it in its `api.ts` and lists it in its `points`; whoever has
 * something for it returns `contributes: [contribute(POINT, implementation)]` from `setup`. The kernel
 * installs contributions in the commit of their plugin, withdraws them when it goes, and holds them
 * while the owner of the point is swapped or off. Nobody registers by hand.
 */
export interface Point<T> {
  readonly kind: 'point';
  /** `area/kebab-name`; points are compared by it, as tokens are. */
  readonly name: string;
  /** Contributions from all plugins together; a plugin that would bring one more is refused. */
  readonly limit: number;
  /** What is wrong with a candidate, in words for its author; `undefined` when it fits. */
  check(candidate: unknown): string | undefined;
  /** What was contributed with its answers read; `misfit` is told what of them is left out. */
  read(implementation: T, misfit: (problem: string) => void): T;
  /** Only for the compiler. */
  readonly __implementation?: T;
}

/** How to read what contributions answer; only a point whose contributions are data does without. */
type AnswersOption<T> = T extends (...args: never[]) => unknown
  ? { readonly answers: AnswersOf<T> }
  : Record<never, never> extends AnswersOf<T>
    ? { readonly answers?: undefined }
    : { readonly answers: AnswersOf<T> };

export type PointOptions<T> = {
  readonly limit?: number;
  check?(candidate: unknown): string | undefined;
} & AnswersOption<T>;

export const POINT_LIMIT_DEFAULT = 16;

/**
 * Declares a point. A candidate that `check` refuses or that it throws at refuses its plugin, before the commit.
 * What contributions answer is read by `answers` before the owner sees it, and what does not fit counts against
 * their plugin: `ask` answers its fallback then, and `use` rejects.
 */
export function definePoint<T>(
  name: string,
  ...[options]: Record<never, never> extends PointOptions<T> ? [options?: PointOptions<T>] : [options: PointOptions<T>]
): Point<T> {
  const {
    limit = POINT_LIMIT_DEFAULT,
    answers,
    check = checkFor(answers),
  } = (options ?? {}) as {
    limit?: number;
    answers?: Parameters<typeof withReadAnswers>[1];
    check?: Point<T>['check'];
  };
  const read = (implementation: T, misfit: (problem: string) => void): T =>
    answers === undefined ? implementation : withReadAnswers(implementation, answers, misfit);
  return Object.freeze({ kind: 'point' as const, name, limit, check, read });
}

function checkFor(answers: unknown): (candidate: unknown) => string | undefined {
  if (typeof answers !== 'function') return () => undefined;
  return (candidate) => (typeof candidate === 'function' ? undefined : 'it is not a function');
}

/** A check for {@link definePoint}: the candidate is an object with these methods. */
export function hasMethods(...names: readonly string[]): (candidate: unknown) => string | undefined {
  return (candidate) => {
    if (typeof candidate !== 'object' || candidate === null) return 'it is not an object';
    const fields = candidate as Readonly<Record<string, unknown>>;
    const missing = names.filter((name) => typeof fields[name] !== 'function');
    return missing.length === 0 ? undefined : `${missing.map((name) => `${name}()`).join(', ')} is missing`;
  };
}

export interface ContributeOptions {
  /** Unique at its point; default is the plugin's name. Others place themselves by it. */
  readonly name?: string;
  /** Names of contributions that come earlier, as far as they are there. */
  readonly after?: readonly string[];
  /** Names of contributions that come later, as far as they are there. */
  readonly before?: readonly string[];
}

/** One entry of `contributes`. */
export interface Contributed<T = unknown> extends ContributeOptions {
  readonly kind: 'contribution';
  readonly point: Point<T>;
  readonly implementation: T;
}

export function contribute<T>(point: Point<T>, implementation: T, options: ContributeOptions = {}): Contributed<T> {
  return Object.freeze({ ...options, kind: 'contribution' as const, point, implementation });
}

export interface ContributionCallOptions {
  readonly signal?: AbortSignal;
  /** Default CONTRIBUTION_LIMIT_MS. */
  readonly limitMs?: number;
  /** A swap of the contributor aborts the call as it begins and runs it again, as {@link RestartOptions} has it. */
  readonly restart?: boolean;
}

/** A contribution as the owner of its point meets it. What goes wrong in it counts against its own plugin. */
export interface Contribution<T> {
  readonly plugin: string;
  readonly name: string;
  /**
   * Calls it, waiting while its plugin is being swapped. `signal` aborts with the caller's, at the time
   * limit, and when a swap of its plugin cannot wait for the call; the promise settles then, whatever the call does.
   *
   * @throws lifecycle/contribution-timeout, lifecycle/service-off, lifecycle/swap-aborted-call, the
   *   reason of the caller's signal, or what the contribution threw.
   */
  use<R>(
    call: (implementation: T, signal: AbortSignal) => R | Promise<R>,
    options?: ContributionCallOptions,
  ): Promise<Awaited<R>>;
  /** Calls it at once, for what answers without waiting: `fallback` when it throws, returns a promise or has gone. */
  ask<R>(call: (implementation: T) => R, fallback: R): R;
}
