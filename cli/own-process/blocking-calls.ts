import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { GuardedNode } from '../../kernel/node.ts';

type Call = (...args: unknown[]) => unknown;

/**
 * Notes whose code is in a call that may wait for ever (for a child process, or a pipe that nobody writes to): such a call cannot
 * be looked into from outside, and after an `await`, or in a timer, the kernel is not the one who called its caller.
 */
export function noteBlockingCalls(node: GuardedNode): void {
  const note = (module: object, which: RegExp): void => {
    const calls = module as Record<string, Call>;
    for (const name of Object.keys(calls).filter((key) => which.test(key))) {
      const own = calls[name] as Call;
      calls[name] = function (this: unknown, ...args) {
        return node.noted(() => own.apply(this, args));
      };
    }
  };
  note(fs, /^(open|read|write|append|copy|cp).*Sync$/);
  note(childProcess, /Sync$/);
  syncBuiltinESMExports();
}
