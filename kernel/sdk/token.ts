/**
 * The name of a service one plugin offers to others.
 *
 * Tokens are compared by `name`, not by object: after a hot swap the same `api.ts` may have been
 * evaluated twice, and both copies must mean the same service.
 */
export interface Token<T> {
  readonly kind: 'token';
  readonly name: string;
  /** Only for the compiler. */
  readonly __service?: T;
}

export function defineToken<T>(name: string): Token<T> {
  return Object.freeze({ kind: 'token' as const, name });
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
  use<R>(call: (service: T) => R | Promise<R>, options?: { signal?: AbortSignal }): Promise<Awaited<R>>;
}

/** A dependency as `inject` names it. */
export type Injection<T = unknown> = Token<T> | { readonly optional: Token<T> };

/** What `ctx.deps` holds for an injection: optional ones are `undefined` while their provider is off. */
export type Injected<I> = I extends { readonly optional: Token<infer T> }
  ? Ref<T> | undefined
  : I extends Token<infer T>
    ? Ref<T>
    : never;
