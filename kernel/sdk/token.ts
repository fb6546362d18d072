/**
 * What a plugin may ask for in `inject`: a service that another plugin provides, or a resource that
 * the kernel owns.
 *
 * Both are named by a token with a major version, and are compared by those two, not by object: after
 * a hot swap the same `api.ts` may have been evaluated twice, and both copies must mean the same
 * service. A change that breaks users of a service gets a new major version; a provider may bind both
 * for a while.
 */
interface Named {
  readonly name: string;
  readonly major: number;
}

/** The name of a service that one plugin provides to others. */
export interface Token<T> extends Named {
  readonly kind: 'token';
  /** Only for the compiler. */
  readonly __service?: T;
}

/** The name of something the kernel owns and no swap touches: the network, the signer, a file store. */
export interface Resource<T> extends Named {
  readonly kind: 'resource';
  /** Only for the compiler. */
  readonly __resource?: T;
}

export function defineToken<T>(name: string, major = 1): Token<T> {
  return Object.freeze({ kind: 'token' as const, name, major });
}

export function defineResource<T>(name: string, major = 1): Resource<T> {
  return Object.freeze({ kind: 'resource' as const, name, major });
}

/** What tokens are compared by, and how they are shown: `content`, and `content@2` from the second version on. */
export function tokenKey({ name, major }: { readonly name: string; readonly major?: number }): string {
  return major === undefined || major === 1 ? name : `${name}@${major}`;
}

/** A service with the token it is offered under, as `setup` returns it. */
export interface Binding<T = unknown> {
  readonly token: Token<T>;
  readonly service: T;
}

export function bind<T>(token: Token<T>, service: T): Binding<T> {
  return { token, service };
}

/**
 * How to call what waits for the network. A swap of the provider does not wait for such a call: the signal
 * that `call` is given aborts as the swap begins, and when that has ended it, `call` runs again with the new
 * service. So the work has to end with its signal, and to bear being begun again.
 */
export interface RestartOptions {
  readonly signal?: AbortSignal;
  readonly restart: true;
}

/** A call that ends when `signal` aborts. */
export type LongCall<T, R> = (service: T, signal: AbortSignal) => R | Promise<R>;

/**
 * A dependency on a service whose provider may be swapped while we hold it.
 *
 * Never keep the service itself: call through `use`, which hands the present one to `call`, waits
 * while its provider is being swapped, and counts the call so that the swap can drain it.
 */
export interface Ref<T> {
  readonly token: Token<T>;
  /** False while the provider is disabled or has failed. */
  readonly available: boolean;
  /**
   * Runs `call` with the present service. Runs it at once (synchronously) when nothing is held.
   *
   * @throws lifecycle/service-off when the provider is disabled, lifecycle/hold-full when too many
   *   calls wait for a swap, or the signal's reason when `signal` aborts while waiting.
   */
  use<R>(call: LongCall<T, R>, options: RestartOptions): Promise<Awaited<R>>;
  use<R>(call: (service: T) => R | Promise<R>, options?: { signal?: AbortSignal }): Promise<Awaited<R>>;
  /** The same, for who can do without: resolves to `undefined` while the provider is off. @throws as `use` otherwise */
  tryUse<R>(call: LongCall<T, R>, options: RestartOptions): Promise<Awaited<R> | undefined>;
  tryUse<R>(call: (service: T) => R | Promise<R>, options?: { signal?: AbortSignal }): Promise<Awaited<R> | undefined>;
  /**
   * Asks at once, for what answers without waiting: `fallback` while the provider is off. Does not wait for
   * a swap, which never shows half of itself: a call that ends in its own turn of the event loop is before
   * all of it or after.
   */
  ask<R>(call: (service: T) => R, fallback: R): R;
}

/** A dependency as `inject` names it. */
export type Injection<T = unknown> = Token<T> | Resource<T> | { readonly optional: Token<T> };

/**
 * What `ctx.deps` holds for an injection: a resource itself, or a Ref to a service. An optional one is
 * a Ref too, whose `available` comes and goes, so it reads right wherever it was destructured.
 */
export type Injected<I> = I extends { readonly optional: Token<infer T> }
  ? Ref<T>
  : I extends Token<infer T>
    ? Ref<T>
    : I extends Resource<infer T>
      ? T
      : never;
