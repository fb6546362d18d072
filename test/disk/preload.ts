import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Compiles a library of this folder for LD_PRELOAD; `undefined`, with a word in the log, where that is not possible. */
export function preload(t: ExecutionContext, source: 'record' | 'slow-sync'): string | undefined {
  const library = join(temporaryDirectory(t), `${source}.so`);
  try {
    const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Werror'];
    execFileSync('cc', [...flags, '-o', library, `test/disk/${source}.c`, '-ldl'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return library;
  } catch (error) {
    if (process.platform === 'linux' && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    t.log('not run: it takes Linux and a C compiler (cc)');
    return undefined;
  }
}
