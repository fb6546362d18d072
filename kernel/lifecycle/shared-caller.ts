/** Bytes of a plugin's name or path that another thread gets to read. */
export const CALLER_MAX_BYTES = 1_024;

/**
 * For a thread that cannot look at the main thread's stack: how many calls of third-party code that one is in, how
 * much of such code is starting, and whose the innermost call is.
 */
export interface SharedCaller {
  readonly counts: Int32Array;
  readonly name: Uint8Array;
}

/** Places in {@link SharedCaller.counts}. */
export const CALLS = 0;
export const STARTING = 1;
export const NAME_BYTES = 2;

export function sharedCaller(): SharedCaller {
  const memory = new SharedArrayBuffer(3 * 4 + CALLER_MAX_BYTES);
  return { counts: new Int32Array(memory, 0, 3), name: new Uint8Array(memory, 3 * 4) };
}

/** Whose the innermost call of third-party code is that the main thread is in. */
export function callerIn(caller: SharedCaller): string | undefined {
  if (Atomics.load(caller.counts, CALLS) === 0) return undefined;
  return new TextDecoder().decode(caller.name.slice(0, Atomics.load(caller.counts, NAME_BYTES)));
}
