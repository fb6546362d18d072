import { spawnSync } from 'node:child_process';
import { writeFileSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { Held } from '../../kernel/node.ts';
import { CALLS, callerIn, STARTING } from '../../kernel/lifecycle/shared-caller.ts';
import { endYoungChildren, takeStopSignal } from './held-process.ts';
import { BEAT, SCREEN_BACK, STOPPING, type WatchdogNotice, type WatchdogSettings } from './watchdog.ts';

interface Frame {
  readonly url: string;
  readonly line: number;
}

const CHECK_MS = 250;
/** The event loop is held for this long before the watchdog looks who holds it. */
const HELD_MS = 2_000;
/** What the inspector takes to stop running code; what lasts longer is a call into the system. */
const STOPPABLE_MS = 300;
/** What it may take after the children are ended that such a call may wait for. */
const FREED_MS = 700;
/** How soon the event loop turns once a call of a child has ended. */
const TURN_MS = 700;
/** A call that nobody knows the caller of: the database checks a large file for so long, but no longer. */
const PATIENCE_MS = 120_000;
/** A process that is asked to stop while its event loop is held is ended so long after it was held. */
const STOP_SIGNAL_AFTER_MS = 5_000;
const STOP_LIMIT_MS = 4_000;

const { beats, startedAtMs, caller, hungFile, shipped, shippedPlugins, program, mainThread } =
  workerData as WatchdogSettings;
let last = 0;
let sinceMs = performance.now() - (Date.now() - startedAtMs);
let checkedMs = performance.now();
let looking = false;
/** The last that held it was freed, and has to let the event loop turn at once. */
let freed = false;
let stopAskedMs: number | undefined;

setInterval(() => {
  const nowMs = performance.now();
  const beat = Atomics.load(beats, BEAT);
  // The whole process stood still, and the main thread had no chance to run.
  const stoodStill = nowMs - checkedMs > HELD_MS;
  checkedMs = nowMs;
  if (beat !== last || stoodStill) {
    last = beat;
    sinceMs = nowMs;
    freed = false;
    stopAskedMs = undefined;
    return;
  }
  const heldMs = nowMs - sinceMs;
  if (heldMs >= STOP_SIGNAL_AFTER_MS) honourStop(nowMs);
  if (looking || heldMs < (freed ? TURN_MS : HELD_MS)) return;
  looking = true;
  void look(heldMs).finally(() => {
    looking = false;
    sinceMs = performance.now();
  });
}, CHECK_MS);

/** The signal only ever reaches the event loop: a process that is asked to stop must not need that to turn. */
function honourStop(nowMs: number): void {
  if (stopAskedMs !== undefined) {
    if (nowMs - stopAskedMs >= STOP_LIMIT_MS) process.kill(process.pid, 'SIGKILL');
  } else if (takeStopSignal()) {
    stopAskedMs = nowMs;
    notify({ stop: true });
  }
}

function notify(notice: WatchdogNotice): void {
  parentPort?.postMessage(notice);
}

/** Stops the main thread where it is, and lets it go on unless a third-party plugin holds it. */
async function look(heldMs: number): Promise<void> {
  const session = new Session();
  session.connectToMainThread();
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
    void session.post('Debugger.enable');
    void session.post('Debugger.pause');
    let ended = 0;
    // Of a call that returns, the stack no longer says who made it.
    let waiting: string | undefined;
    if (!(await isDone(paused, STOPPABLE_MS))) {
      waiting = callerIn(caller);
      ended = endYoungChildren(heldMs + 2 * CHECK_MS);
      if (!(await isDone(paused, FREED_MS)) && !(await isDone(paused, await patience()))) return stuck();
    }
    const { frames, id } = await paused;
    const evaluate = (call: string): Promise<{ result: { value?: unknown } }> => {
      const expression = `globalThis[Symbol.for(${JSON.stringify(mainThread)})].${call}()`;
      return session.post('Debugger.evaluateOnCallFrame', { callFrameId: id, expression });
    };
    let guilty = guiltyIn(frames) ?? (waiting === undefined ? undefined : { plugin: waiting });
    if (guilty?.file !== undefined && guilty.plugin === undefined) {
      // The file may be of a package that several plugins have.
      const { value } = (await evaluate('led')).result;
      if (typeof value === 'string') guilty = { ...guilty, plugin: value };
    }
    const isStopping = Atomics.load(beats, STOPPING) !== 0;
    if (guilty === undefined) await session.post('Debugger.resume');
    else if (ended > 0 && !freed) {
      freed = true;
      notify({ held: guilty });
      await session.post('Debugger.resume');
    } else {
      remember(guilty);
      const call = isStopping || stopAskedMs !== undefined || takeStopSignal() ? 'end' : 'again';
      await evaluate(call);
    }
  } finally {
    session.disconnect();
  }
}

/** How much longer a call into the system may take, by who made it. */
async function patience(): Promise<number> {
  const isThirdParty = (): boolean =>
    Atomics.load(caller.counts, CALLS) > 0 || Atomics.load(caller.counts, STARTING) > 0;
  return isThirdParty() || Atomics.load(beats, STOPPING) !== 0 ? 0 : PATIENCE_MS;
}

/** The main thread can run nothing any more: what has to be done is done from here. */
function stuck(): void {
  const plugin = callerIn(caller);
  remember(plugin === undefined ? {} : { plugin });
  if (Atomics.load(beats, STOPPING) === 0 && stopAskedMs === undefined && !takeStopSignal()) runAgain();
  if (isatty(0)) spawnSync('stty', ['sane'], { stdio: 'inherit' });
  if (isatty(1)) writeSync(1, SCREEN_BACK);
  process.kill(process.pid, 'SIGKILL');
}

/**
 * `process.execve` for threads, which Node keeps to the main one though the system does not mind. Returns where that is
 * not to be had: the process then ends for good.
 */
function runAgain(): void {
  try {
    const { internalBinding } = createRequire(import.meta.url)('internal/test/binding');
    internalBinding('process_methods').execve(program.path, program.args, program.env);
  } catch {
    // Another version of Node.
  }
}

function remember(held: Held): void {
  try {
    writeFileSync(hungFile, JSON.stringify(held), { mode: 0o600 });
  } catch {
    // The disk is full: the next start still has its marks.
  }
}

async function isDone(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The first file on the stack that does not ship with the node; code of the node that a third-party plugin called,
 * or that looks at what such a plugin declared, holds it in that plugin's name.
 */
function guiltyIn(frames: readonly Frame[]): Held | undefined {
  const frame = frames.find(({ url }) => url.startsWith('file:') && isForeign(url));
  const plugin = callerIn(caller);
  if (frame === undefined) return plugin === undefined ? undefined : { plugin };
  return { file: fileURLToPath(frame.url), line: frame.line, ...(plugin === undefined ? {} : { plugin }) };
}

/** Code of a plugin has a revision, that of packages which it brings lies outside of the node's. */
function isForeign(url: string): boolean {
  const file = fileURLToPath(url);
  if (!shipped.some((folder) => file.startsWith(folder + sep))) return true;
  return new URL(url).searchParams.has('rev') && !file.startsWith(shippedPlugins + sep);
}
