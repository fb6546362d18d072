import type { Caller, GuardedNode } from '../../kernel/node.ts';

type Listener = (...args: unknown[]) => unknown;

interface Owned {
  readonly event: string | symbol;
  readonly listener: Listener;
  readonly guarded: Listener;
  readonly caller: Caller;
}

/** Of all third parties together; further ones are not called. */
const LISTENERS_MAX = 1_024;

/**
 * Listeners at `process` are everybody's: those of third-party code run after the node's own, answer for what they
 * throw, and go with the generation that brought them. Such code takes away its own alone, whatever it asks for.
 */
export function guardListeners(node: GuardedNode): void {
  const listeners = new Set<Owned>();
  const own = {
    on: process.on.bind(process) as (event: string | symbol, listener: Listener) => NodeJS.Process,
    off: process.off.bind(process) as (event: string | symbol, listener: Listener) => NodeJS.Process,
  };
  const remove = (owned: Owned): void => {
    if (listeners.delete(owned)) own.off(owned.event, owned.guarded);
  };
  const add = (caller: Caller, event: string | symbol, listener: Listener, once: boolean): void => {
    if (listeners.size >= LISTENERS_MAX) return;
    const guarded: Listener = (...args) => {
      if (!caller.serves()) return;
      if (once) remove(owned);
      caller.run(() => answerFor(node, () => listener.apply(process, args)));
    };
    const owned = { event, listener, guarded, caller };
    listeners.add(owned);
    own.on(event, guarded);
    caller.signal?.addEventListener('abort', () => remove(owned), { once: true });
  };
  const removeOf = (caller: Caller, event?: string | symbol, listener?: Listener): void => {
    for (const owned of [...listeners]) {
      if (owned.caller.name !== caller.name || (event !== undefined && owned.event !== event)) continue;
      if (listener === undefined || owned.listener === listener) remove(owned);
    }
  };

  const guard = (names: readonly string[], instead: (caller: Caller, ...args: never[]) => void): void => {
    const calls = process as unknown as Record<string, Listener>;
    for (const name of names) {
      const before = (calls[name] as Listener).bind(process);
      calls[name] = (...args) => {
        const caller = node.caller();
        if (caller === undefined) return before(...args);
        instead(caller, ...(args as never[]));
        return process;
      };
    }
  };
  guard(['on', 'addListener', 'prependListener'], (caller, event: string, listener: Listener) =>
    add(caller, event, listener, false),
  );
  guard(['once', 'prependOnceListener'], (caller, event: string, listener: Listener) =>
    add(caller, event, listener, true),
  );
  guard(['off', 'removeListener', 'removeAllListeners'], removeOf);
}

/** Nobody else would: what a listener throws goes to whoever caused the event, and ends the process in its last resort. */
function answerFor(node: GuardedNode, call: () => unknown): void {
  try {
    const work = call();
    if (work instanceof Promise) work.catch((error) => node.strayError(error));
  } catch (error) {
    node.strayError(error);
  }
}
