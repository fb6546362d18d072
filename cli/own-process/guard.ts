import type { GuardedNode } from '../../kernel/node.ts';
import { guardListeners } from './process-listeners.ts';

/** Ends the process, whoever calls: what `process.exit` was before it was guarded. */
export const exit = process.exit.bind(process);

/** Ends the process, or changes what all in it share. */
const FOR_THE_NODE = [
  ...['exit', 'abort', 'kill', 'reallyExit', 'execve', 'setUncaughtExceptionCaptureCallback'],
  ...['chdir', 'setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups', 'disconnect'],
] as const;

/**
 * Makes the errors of this process that nothing catches the node's business, and ending the process the node's
 * alone: a third-party plugin that tries is told that it may not, and goes.
 */
export function guardProcess(node: GuardedNode): void {
  process.on('unhandledRejection', (error) => node.strayError(error));
  process.on('uncaughtException', (error, origin) => node.strayError(error, { torn: origin === 'uncaughtException' }));
  guardListeners(node);
  const calls = process as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const call of FOR_THE_NODE) {
    const own = calls[call]?.bind(process);
    if (own === undefined) continue;
    calls[call] = (...args) => {
      const refused = endsThis(call, args) ? node.refuseEnd(call) : undefined;
      if (refused !== undefined) throw refused;
      return own(...args);
    };
  }
}

/** `process.kill` may ask after other processes, and end those that a plugin started. */
function endsThis(call: string, [pid, signal]: readonly unknown[]): boolean {
  return call !== 'kill' || ((pid === process.pid || Number(pid) <= 0) && signal !== 0);
}
