import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { WatchdogSettings } from './watchdog-worker.ts';

const EXTENSION = import.meta.url.endsWith('.js') ? 'js' : 'ts';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const INSTALLED = here(EXTENSION === 'js' ? '../../..' : '../..');
const BEAT_MS = 250;
/** The event loop is held for this long before the watchdog looks who holds it. */
const HELD_MS = 2_500;
/** What the inspector may take to stop running code that a third-party plugin called; a system call is never stopped. */
const STOPPABLE_MS = 4_000;
/** The same when nobody knows who called: the database checks a large file for so long, but no longer. */
const PATIENCE_MS = 120_000;

/** What the watchdog calls on the main thread to run the program anew; it must not return. */
export const AGAIN = Symbol.for('itsgoin.again');

/**
 * Watches the event loop from a thread of its own. A third-party plugin that holds it is written down in `hungFile`
 * and the process begins again, under the same process id and on the same terminal, without that plugin. What ships
 * with the node is waited for: migrating a large store may take its time.
 */
export function startWatchdog(hungFile: string, calls: Int32Array): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WatchdogSettings = {
    ...{ beats, calls, hungFile, installed: INSTALLED, shippedPlugins: here('../../plugins') },
    ...{ heldMs: HELD_MS, stoppableMs: STOPPABLE_MS, patienceMs: PATIENCE_MS, again: String(AGAIN.description) },
  };
  const options = { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 32 } };
  const worker = new Worker(new URL(`./watchdog-worker.${EXTENSION}`, import.meta.url), options);
  worker.unref();
  // A node without its watchdog is still a node.
  worker.on('error', () => {});
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
  (globalThis as Record<symbol, unknown>)[AGAIN] = runAgain;
}

/** Nothing of this process is left after it; sockets and locks go with it, as in a crash. */
function runAgain(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  if (process.stdout.isTTY) process.stdout.write('\x1b[?1049l\x1b[?25h');
  execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], process.env);
}

/** As it is before any plugin can reach it. */
const execve = process.execve?.bind(process) ?? (() => process.kill(process.pid, 'SIGKILL'));
