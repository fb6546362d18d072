import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';

export interface WatchdogSettings {
  /** Counts up as long as the event loop turns. */
  readonly beats: Int32Array;
  /** How many calls of third-party code the main thread is in. */
  readonly calls: Int32Array;
  readonly hungFile: string;
  /** The folder that the node is installed in. */
  readonly installed: string;
  readonly shippedPlugins: string;
  readonly heldMs: number;
  readonly stoppableMs: number;
  readonly patienceMs: number;
  /** Name of the registered symbol under which the main thread has what runs the program again. */
  readonly again: string;
}

interface Frame {
  readonly url: string;
  readonly line: number;
}

const CHECK_MS = 250;
const { beats, calls, hungFile, installed, shippedPlugins, heldMs, stoppableMs, patienceMs, again } =
  workerData as WatchdogSettings;
let last = -1;
let sinceMs = performance.now();
let looking = false;

setInterval(() => {
  const beat = Atomics.load(beats, 0);
  if (beat !== last) {
    last = beat;
    sinceMs = performance.now();
  } else if (!looking && performance.now() - sinceMs >= heldMs) {
    looking = true;
    void look().finally(() => {
      looking = false;
      sinceMs = performance.now();
    });
  }
}, CHECK_MS);

/** Stops the main thread where it is, and lets it go on unless a third-party plugin holds it. */
async function look(): Promise<void> {
  const session = new Session();
  session.connectToMainThread();
  // A system call (a child process that is waited for, a check of the database) cannot be stopped.
  const limitMs = Atomics.load(calls, 0) > 0 ? stoppableMs : patienceMs;
  const unstoppable = setTimeout(() => process.kill(process.pid, 'SIGKILL'), limitMs);
  try {
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    const paused = new Promise<{ frames: Frame[]; id: string }>((resolve) => {
      session.once('Debugger.paused', ({ params: { callFrames } }) => {
        const frames = callFrames.map(({ location }) => ({
          url: urls.get(location.scriptId) ?? '',
          line: location.lineNumber + 1,
        }));
        resolve({ frames, id: callFrames[0]?.callFrameId ?? '' });
      });
    });
    await session.post('Debugger.enable');
    await session.post('Debugger.pause');
    const { frames, id } = await paused;
    clearTimeout(unstoppable);
    const guilty = frames.find(({ url }) => url.startsWith('file:') && isForeign(url));
    if (guilty === undefined) await session.post('Debugger.resume');
    else {
      writeFileSync(hungFile, JSON.stringify({ file: fileURLToPath(guilty.url), line: guilty.line }), { mode: 0o600 });
      const expression = `globalThis[Symbol.for(${JSON.stringify(again)})]()`;
      await session.post('Debugger.evaluateOnCallFrame', { callFrameId: id, expression });
    }
  } finally {
    clearTimeout(unstoppable);
    session.disconnect();
  }
}

/** Code of a plugin has a revision, that of packages which it brings lies outside of the node's. */
function isForeign(url: string): boolean {
  const file = fileURLToPath(url);
  return !file.startsWith(installed) || (new URL(url).searchParams.has('rev') && !file.startsWith(shippedPlugins));
}
