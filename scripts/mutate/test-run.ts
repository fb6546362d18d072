import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** `timeout`: it was still running at its limit. */
export type Outcome = 'passed' | 'failed' | 'timeout';

const HEAP_MB = 1_024;
/** A mutant may allocate without end, outside the heap too. */
const ADDRESS_SPACE_KB = 8 * 1_024 * 1_024;

/**
 * Runs one test file in a sandbox up to its first failing test. Whatever the run started is killed with it.
 * `coverage`: a folder for what V8 saw.
 */
export function runTest(
  sandbox: Sandbox,
  test: string,
  { limitMs, coverage, signal }: { limitMs: number; coverage?: string; signal: AbortSignal },
): Promise<{ outcome: Outcome; durationMs: number }> {
  const ava = [join('node_modules', 'ava', 'entrypoints', 'cli.mjs'), '--fail-fast', test];
  const startedMs = performance.now();
  const isPosix = process.platform !== 'win32';
  const [command, args] = isPosix
    ? ['sh', ['-c', `ulimit -v ${ADDRESS_SPACE_KB}; exec "$0" "$@"`, process.execPath, ...ava]]
    : [process.execPath, ava];
  const child = spawn(command, args, {
    cwd: sandbox.root,
    stdio: 'ignore',
    // A group of its own, so that all of it can be killed.
    detached: isPosix,
    env: {
      ...process.env,
      TMPDIR: sandbox.temporary,
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
      ...(coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage }),
    },
  });
  return new Promise((resolve, reject) => {
    let isLate = false;
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(isPosix ? -child.pid : child.pid, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    };
    const limit = setTimeout(() => {
      isLate = true;
      kill();
    }, limitMs);
    signal.addEventListener('abort', kill, { once: true });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', kill);
      kill();
      const outcome = isLate ? 'timeout' : code === 0 ? 'passed' : 'failed';
      resolve({ outcome, durationMs: performance.now() - startedMs });
    });
  });
}
