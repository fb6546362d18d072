/** What becomes of a bad plugin in a node that runs when it is added. */
export type Fate =
  /** It is not started, or taken out of service, and the node never notices. */
  | 'out'
  /** It runs, and what it does wrong is counted. */
  | 'counted'
  /** It holds the event loop until what it waits for is ended, and is taken out of service. */
  | 'freed'
  /** It holds the event loop, and the node begins again without it. */
  | 'held';

export interface BadPlugin {
  readonly name: string;
  readonly fate: Fate;
  readonly code: string;
}

/** A plugin whose `setup` runs `setup` and returns `parts`, with `top` at the top of its module. */
function plugin(
  name: string,
  fate: Fate,
  { top = '', setup = '', parts = '', fields = '' }: { top?: string; setup?: string; parts?: string; fields?: string },
): BadPlugin {
  const code = `
import { defineCommand, definePlugin, Type } from 'itsgoin';
import { execSync, spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
${top}
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Does harm', ${fields}
  async setup(ctx) { ${setup}
    return { ${parts} };
  },
});
`;
  return { name, fate, code };
}

const activate = (code: string): { parts: string } => ({ parts: `activate() { ${code} },` });
const thrice = (code: string): string => `for (let n = 0; n < 3; n++) { ${code} }`;
const LOST = "new Error('lost')";

export const BAD_PLUGINS: readonly BadPlugin[] = [
  // Failures that are declared.
  plugin('top-throws', 'out', { top: `throw ${LOST};` }),
  plugin('top-throws-text', 'out', { top: "throw 'a text';" }),
  { name: 'no-syntax', fate: 'out', code: 'export default {{{' },
  { name: 'no-plugin', fate: 'out', code: 'export default 42;' },
  { name: 'no-default', fate: 'out', code: 'export const x = 1;' },
  { name: 'no-import', fate: 'out', code: "import 'nowhere-at-all'; export default 1;" },
  plugin('setup-throws', 'out', { setup: `throw ${LOST};` }),
  plugin('setup-throws-null', 'out', { setup: 'throw null;' }),
  plugin('setup-returns-nothing', 'out', { setup: 'return undefined;' }),
  plugin('activate-throws', 'counted', activate(`throw ${LOST};`)),
  plugin('unhealthy', 'out', { parts: 'healthy: () => false,' }),
  plugin('healthy-throws', 'out', { parts: `healthy() { throw ${LOST}; },` }),
  plugin('loop-throws', 'out', { parts: `loops: { l: { everyMs: 50, run() { throw ${LOST}; } } },` }),
  plugin('loop-rejects', 'out', { parts: `loops: { l: { everyMs: 50, async run() { throw ${LOST}; } } },` }),
  // Errors that nothing catches.
  plugin('rejects', 'out', activate(thrice(`void Promise.reject(${LOST});`))),
  plugin('rejects-text', 'out', activate(thrice("void Promise.reject('x');"))),
  plugin('rejects-nothing', 'out', activate(thrice('void Promise.reject();'))),
  plugin('floats', 'out', activate(thrice(`void (async () => { await null; throw ${LOST}; })();`))),
  plugin('timer-throws', 'out', activate(thrice(`setTimeout(() => { throw ${LOST}; }, 5);`))),
  plugin('timer-throws-text', 'out', activate(thrice("setTimeout(() => { throw 'x'; }, 5);"))),
  plugin('clock-throws', 'out', activate(thrice(`ctx.clock.timer(5, () => { throw ${LOST}; });`))),
  plugin('micro-throws', 'out', activate(thrice(`queueMicrotask(() => { throw ${LOST}; });`))),
  plugin('tick-throws', 'out', activate(thrice(`process.nextTick(() => { throw ${LOST}; });`))),
  plugin('immediate-throws', 'out', activate(thrice(`setImmediate(() => { throw ${LOST}; });`))),
  plugin('emitter-throws', 'out', activate(thrice(`setTimeout(() => new EventEmitter().emit('error', ${LOST}), 5);`))),
  plugin('interval-throws', 'out', activate(`setInterval(() => { throw ${LOST}; }, 20).unref();`)),
  plugin(
    'stack-throws',
    'out',
    activate(thrice("void Promise.reject(Object.defineProperty(new Error('x'), 'stack', { get() { throw 1; } }));")),
  ),
  plugin('setup-floats', 'counted', { setup: `void Promise.reject(${LOST});` }),
  // Ends of the process.
  plugin('exits', 'out', activate('process.exit(3);')),
  plugin('exits-later', 'out', activate('setTimeout(() => process.exit(3), 20);')),
  plugin('exits-top', 'out', { top: 'process.exit(3);' }),
  plugin('exits-setup', 'out', { setup: 'process.exit(3);' }),
  plugin('aborts', 'out', activate('process.abort();')),
  plugin('kills', 'out', activate("process.kill(process.pid, 'SIGKILL');")),
  plugin('raises', 'out', activate('process.reallyExit(4);')),
  // Loops.
  plugin('loops-top', 'held', { top: 'for (;;) {}' }),
  plugin('loops-setup', 'held', { setup: 'for (;;) {}' }),
  plugin('loops-activate', 'held', activate('for (;;) {}')),
  plugin('loops-later', 'held', activate('setTimeout(() => { for (;;) {} }, 200);')),
  plugin('loops-microtasks', 'held', activate('const f = () => Promise.resolve().then(f); void f();')),
  plugin('loops-regexp', 'held', activate("setTimeout(() => /^(a+)+$/.test('a'.repeat(60) + 'b'), 20);")),
  // Calls into the system that do not come back.
  plugin('blocks-top', 'freed', { top: "execSync('sleep 600');" }),
  plugin('blocks-setup', 'freed', { setup: "await null; execSync('sleep 600; true');" }),
  plugin('blocks-later', 'freed', activate("setTimeout(() => spawnSync('sleep', ['600']), 20);")),
  plugin('blocks-again', 'held', activate("setTimeout(() => { for (;;) spawnSync('sleep', ['600']); }, 20);")),
  plugin(
    'blocks-pipe',
    'held',
    activate(
      "const pipe = import.meta.dirname + '/../pipe-' + Date.now(); execSync('mkfifo ' + pipe); setTimeout(() => readFileSync(pipe), 20);",
    ),
  ),
  // What is the process's.
  plugin(
    'listeners-all',
    'out',
    activate(`process.removeAllListeners(); ${thrice(`setTimeout(() => { throw ${LOST}; }, 5);`)}`),
  ),
  plugin(
    'listeners-last',
    'out',
    activate(`process.removeAllListeners('uncaughtException'); ${thrice(`setTimeout(() => { throw ${LOST}; }, 5);`)}`),
  ),
  plugin(
    'listener-exits',
    'out',
    activate(`process.on('uncaughtException', () => process.exit(5)); setTimeout(() => { throw ${LOST}; }, 5);`),
  ),
  plugin(
    'listener-throws',
    'out',
    activate(
      `process.on('uncaughtException', () => { throw ${LOST}; }); ${thrice(`setTimeout(() => { throw ${LOST}; }, 5);`)}`,
    ),
  ),
  plugin('changes-folder', 'out', activate("process.chdir('/');")),
  plugin('replaces-json', 'counted', activate('globalThis.JSON = undefined;')),
  plugin('replaces-push', 'counted', activate('Array.prototype.push = undefined;')),
  plugin('replaces-then', 'counted', activate('Object.prototype.then = () => {};')),
  plugin('replaces-emit', 'counted', activate('EventEmitter.prototype.emit = undefined;')),
  plugin(
    'thread-without-end',
    'out',
    activate(
      thrice(
        "new Worker('const rows = []; for (;;) rows.push(new Array(1e5).fill(0).map(() => ({})));', { eval: true, resourceLimits: { maxOldGenerationSizeMb: 64 } });",
      ),
    ),
  ),
  // Errors and lines that do harm when they are looked at.
  plugin(
    'throws-proxy',
    'out',
    activate(
      thrice(
        'setTimeout(() => { throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; } }); }, 5);',
      ),
    ),
  ),
  plugin('throws-often', 'out', activate('for (let n = 0; n < 50_000; n++) void Promise.reject(new Error("x"));')),
  plugin('logs-much', 'counted', activate("ctx.log.error('much', { text: 'x'.repeat(100e6) });")),
  // Waits without end.
  plugin('hangs-top', 'out', { top: 'await new Promise(() => {});' }),
  plugin('hangs-setup', 'out', { setup: 'await new Promise(() => {});' }),
  // Claims on what is not its own.
  plugin('claims-command', 'out', {
    fields:
      "commands: { 'post.create': defineCommand({ about: 'Mine', params: Type.Object({}), result: Type.Object({}) }) },",
    parts: "commands: { 'post.create': () => ({}) },",
  }),
  plugin('claims-kernel', 'out', {
    fields: "commands: { status: defineCommand({ about: 'Mine', params: Type.Object({}), result: Type.Object({}) }) },",
    parts: 'commands: { status: () => ({}) },',
  }),
];
