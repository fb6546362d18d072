import { AsyncLocalStorage } from 'node:async_hooks';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { AnyParts } from '../sdk/plugin.ts';
import { CALLER_MAX_BYTES, CALLS, STARTING, NAME_BYTES, sharedCaller } from './shared-caller.ts';

/**
 * Whose code runs: set wherever the kernel calls code of a third-party plugin, and kept through all timers,
 * promises and microtasks which that code starts. Code that ships with the node is not followed: its errors
 * have stacks, and following costs a third of a microsecond a call.
 */
const running = new AsyncLocalStorage<Running>();

export interface Running {
  /** Its name, or its path while it is being loaded. */
  readonly plugin: string;
  /** Aborts when the generation ends whose code it is; undefined while there is none yet. */
  readonly signal?: AbortSignal | undefined;
}

const NOBODY = new Uint8Array();
/** Whose code the main thread is in, for the thread that watches it. */
export const THIRD_PARTY = sharedCaller();
const { counts, name } = THIRD_PARTY;
let innermost = NOBODY;

function share(plugin: Uint8Array<ArrayBuffer>): void {
  innermost = plugin;
  name.set(plugin);
  Atomics.store(counts, NAME_BYTES, plugin.length);
}

/** Names beyond it are encoded at each call. */
const NAMES_MAX = 256;
const encoded = new BoundedMap<string, Uint8Array<ArrayBuffer>>(NAMES_MAX);

function bytesOf(plugin: string): Uint8Array<ArrayBuffer> {
  const known = encoded.get(plugin);
  if (known !== undefined) return known;
  const bytes = new TextEncoder().encode(plugin).slice(0, CALLER_MAX_BYTES);
  encoded.set(plugin, bytes);
  return bytes;
}

/** Calls code of this plugin; of one that is being loaded its path stands for its name. */
export function runAs<R>(plugin: string, call: () => R, signal?: AbortSignal): R {
  const outer = innermost;
  Atomics.add(counts, CALLS, 1);
  share(bytesOf(plugin));
  try {
    return running.run({ plugin, signal }, call);
  } finally {
    share(outer);
    Atomics.sub(counts, CALLS, 1);
  }
}

/** The same for code that starts and may wait for something: it is known to be starting until it has. */
export async function startAs<R>(plugin: string, start: () => Promise<R>, signal?: AbortSignal): Promise<R> {
  Atomics.add(counts, STARTING, 1);
  try {
    return await runAs(plugin, start, signal);
  } finally {
    Atomics.sub(counts, STARTING, 1);
  }
}

/** The third-party plugin whose code led here. */
export function runningAs(): Running | undefined {
  return running.getStore();
}

/** Runs a call that may wait for ever, so that a thread which watches this one can tell whose it is. */
export function noted<R>(call: () => R): R {
  const led = runningAs();
  return led === undefined ? call() : runAs(led.plugin, call, led.signal);
}

/** The same function, followed. */
export function followed<F extends (...args: never[]) => unknown>(plugin: string, call: F, signal: AbortSignal): F {
  return function (this: unknown, ...args: never[]) {
    return runAs(plugin, () => call.apply(this, args), signal);
  } as F;
}

/** What `setup` returned, each function of it followed. What it contributes is followed where a point calls it. */
export function followedParts(plugin: string, parts: AnyParts, signal: AbortSignal): AnyParts {
  const follow = (value: unknown): unknown =>
    typeof value === 'function' ? followed(plugin, value as (...args: never[]) => unknown, signal) : value;
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
