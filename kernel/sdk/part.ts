import type { Ref, Resource, Token } from './token.ts';

/**
 * A part of a larger plugin: one long-lived object of a generation, named by a constant and made by a
 * factory. `ctx.part(PART)` builds it, and whatever it asks for, on first use, once a generation.
 */
export interface Part<T> {
  readonly kind: 'part';
  readonly name: string;
  /** Unique, so that two parts of one name do not meet. */
  readonly key: symbol;
  // biome-ignore lint/suspicious/noExplicitAny: each plugin has its own context type, and its parts are its own
  readonly build: (use: Use, ctx: any) => T;
}

/** Finds what a part is made of: other parts, and what the plugin injects. */
export interface Use {
  /** @throws lifecycle/circular-parts when the part is being built already */
  <T>(part: Part<T>): T;
  /** @throws lifecycle/not-injected when the plugin's `inject` does not name it */
  <T>(token: Token<T>): Ref<T>;
  <T>(resource: Resource<T>): T;
  /** For a part that is needed only later, when both are built: what breaks a circle. */
  later<T>(part: Part<T>): () => T;
}

/** Declares a part. `Ctx` is the plugin's context type. */
export function definePart<T, Ctx = unknown>(name: string, build: (use: Use, ctx: Ctx) => T): Part<T> {
  return Object.freeze({ kind: 'part' as const, name, key: Symbol(name), build });
}
