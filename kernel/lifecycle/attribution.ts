import { AsyncLocalStorage } from 'node:async_hooks';
import type { AnyParts } from '../sdk/plugin.ts';

/**
 * Whose code runs: set wherever the kernel calls code of a third-party plugin, and kept through all timers,
 * promises and microtasks which that code starts. Code that ships with the node is not followed: its errors
 * have stacks, and following costs a third of a microsecond a call.
 */
const running = new AsyncLocalStorage<string>();

export function runAs<R>(plugin: string, call: () => R): R {
  return running.run(plugin, call);
}

/** The third-party plugin whose code led here. */
export function runningAs(): string | undefined {
  return running.getStore();
}

/** The same function, followed. */
export function followed<F extends (...args: never[]) => unknown>(plugin: string, call: F): F {
  return function (this: unknown, ...args: never[]) {
    return running.run(plugin, () => call.apply(this, args));
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
