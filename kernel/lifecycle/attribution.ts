import { AsyncLocalStorage } from 'node:async_hooks';
import type { AnyParts } from '../sdk/plugin.ts';

/**
 * Whose code runs: set wherever the kernel calls code of a third-party plugin, and kept through all timers,
 * promises and microtasks which that code starts. Code that ships with the node is not followed: its errors
 * have stacks, and following costs a third of a microsecond a call.
 */
const running = new AsyncLocalStorage<string>();

/** How many calls of third-party code the main thread is in, for a thread that cannot look at its stack. */
export const THIRD_PARTY_CALLS = new Int32Array(new SharedArrayBuffer(4));

export function runAs<R>(plugin: string, call: () => R): R {
  Atomics.add(THIRD_PARTY_CALLS, 0, 1);
  try {
    return running.run(plugin, call);
  } finally {
    Atomics.sub(THIRD_PARTY_CALLS, 0, 1);
  }
}

/** The third-party plugin whose code led here. */
export function runningAs(): string | undefined {
  return running.getStore();
}

/** The same function, followed. */
export function followed<F extends (...args: never[]) => unknown>(plugin: string, call: F): F {
  return function (this: unknown, ...args: never[]) {
    return runAs(plugin, () => call.apply(this, args));
  } as F;
}

/** What `setup` returned, each function of it followed. What it contributes is followed where a point calls it. */
export function followedParts(plugin: string, parts: AnyParts): AnyParts {
  const follow = (value: unknown): unknown =>
    typeof value === 'function' ? followed(plugin, value as (...args: never[]) => unknown) : value;
  const each = <T extends object>(values: T | undefined): T =>
    Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, follow(value)])) as T;
  const loops = Object.entries(parts.loops ?? {}).map(([name, loop]) => [name, each(loop as object)]);
  return {
    ...each(parts),
    handlers: each(parts.handlers),
    commands: each(parts.commands),
    loops: Object.fromEntries(loops),
  };
}
