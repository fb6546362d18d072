import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Held } from '../../kernel/node.ts';
import type { SharedCaller } from '../../kernel/lifecycle/shared-caller.ts';

/** Places in {@link WatchdogSettings.beats}. */
export const BEAT = 0;
export const STOPPING = 1;

export interface WatchdogSettings {
  /** The first counts up as long as the event loop turns, the second is not 0 when the process is to end. */
  readonly beats: Int32Array;
  /** Wall clock of the main thread when this thread was asked for. */
  readonly startedAtMs: number;
  readonly caller: SharedCaller;
  readonly hungFile: string;
  /** Folders of what ships with the node, and the one of these with its plugins. */
  readonly shipped: readonly string[];
  readonly shippedPlugins: string;
  /** What this program was started with. */
  readonly program: { readonly path: string; readonly args: readonly string[]; readonly env: readonly string[] };
  /** Name of the registered symbol under which the main thread has a {@link MainThread}. */
  readonly mainThread: string;
}

/** What the watchdog may call on the main thread when it has stopped that one. */
export interface MainThread {
  /** The third-party plugin whose code led there. The other two do not return. */
  led(): string | undefined;
  again(): void;
  end(): void;
}

/** To the main thread, for when its event loop turns again. */
export type WatchdogNotice = { readonly held: Held } | { readonly stop: true };

const EXTENSION = import.meta.url.endsWith('.js') ? 'js' : 'ts';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const INSTALLED = here(EXTENSION === 'js' ? '../../..' : '../..');
const SHIPPED = ['../../kernel', '../../plugins', '../../cli', '../../tui'].map(here);
const BEAT_MS = 250;
const MAIN_THREAD = 'itsgoin.main-thread';
/** Leaves the other screen that the terminal UI draws on, and shows the cursor. */
export const SCREEN_BACK = '\x1b[?1049l\x1b[?25h';

const beats = new Int32Array(new SharedArrayBuffer(8));

/** From now on who holds the event loop delays the end of the process, and it is not run again. */
export function watchStop(): void {
  Atomics.store(beats, STOPPING, 1);
}

/**
 * Watches the event loop from a thread of its own. A third-party plugin that holds it is written down in `hungFile`
 * and the process begins again, under the same process id and on the same terminal, without that plugin; one that
 * waits for a child process loses the child, and `onNotice` hears of it. What ships with the node is waited for:
 * migrating a large store may take its time.
 */
export function startWatchdog(
  hungFile: string,
  caller: SharedCaller,
  onNotice: (notice: WatchdogNotice) => void,
  led: () => string | undefined,
): void {
  const workerData: WatchdogSettings = {
    ...{ beats, startedAtMs: Date.now(), caller, hungFile, mainThread: MAIN_THREAD },
    shipped: [...SHIPPED, `${INSTALLED}/bin`, `${INSTALLED}/node_modules`],
    shippedPlugins: here('../../plugins'),
    program: {
      path: process.execPath,
      args: program(),
      env: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    },
  };
  const worker = new Worker(new URL(`./watchdog-worker.${EXTENSION}`, import.meta.url), {
    workerData,
    // For the one call that Node does not offer to threads.
    execArgv: ['--expose-internals', '--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  });
  worker.on('message', onNotice);
  // A node without its watchdog is still a node.
  worker.on('error', () => {});
  worker.unref();
  setInterval(() => Atomics.add(beats, BEAT, 1), BEAT_MS).unref();
  const mainThread: MainThread = { again: () => become(program()), end: () => become(NOTHING), led };
  Object.defineProperty(globalThis, Symbol.for(MAIN_THREAD), { value: mainThread });
}

const program = (): string[] => [process.execPath, ...process.execArgv, ...process.argv.slice(1)];

/** A stopped thread cannot end its process in an orderly way, but become one that has nothing to do. */
const NOTHING = [process.execPath, '-e', ''];

/** Nothing of this process is left after it; sockets and locks go with it, as in a crash. */
function become(args: readonly string[]): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  if (process.stdout.isTTY) process.stdout.write(SCREEN_BACK);
  execve(process.execPath, args, process.env);
}

/** As it is before any plugin can reach it. */
const execve = process.execve?.bind(process) ?? (() => process.kill(process.pid, 'SIGKILL'));
