import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';
import { pluginPath, watchedNode } from './node.ts';

const STOP_MAX_MS = 10_000;
const HELD_WITHIN_MS = 10_000;

const CODE: Readonly<Record<string, string>> = {
  'a listener of SIGTERM': "process.prependListener('SIGTERM', () => { for (;;) {} });",
  'a listener of the exit': "process.on('exit', () => { for (;;) {} });",
  'what it has to clean up': 'ctx.defer(() => { for (;;) {} });',
};

const write = (dir: string, name: string, code: string): void => {
  mkdirSync(join(dir, 'plugins'), { recursive: true });
  const text = `
import { writeFileSync } from 'node:fs';
import { definePlugin } from 'itsgoin';
export default definePlugin({
  name: '${name}', version: '1.0.0', kernel: '^1', about: 'Does harm',
  setup(ctx) { ${code}
    return {};
  },
});
`;
  writeFileSync(pluginPath(dir, name), text);
};

for (const [where, code] of Object.entries(CODE)) {
  test.serial(`a loop of a plugin in ${where} kept the node from stopping`, async (t) => {
    const dir = temporaryDirectory(t);
    write(dir, 'lingers', code);
    const node = await watchedNode(t, dir);
    const plugins = await node.until(
      (seen) => seen.some(({ name, state }) => name === 'lingers' && state === 'active'),
      5_000,
    );
    t.is(plugins.find(({ name }) => name === 'lingers')?.state, 'active');
    const askedMs = performance.now();
    t.is(await node.stop(), 0);
    t.true(performance.now() - askedMs < STOP_MAX_MS);
    const again = await watchedNode(t, dir);
    t.is(await again.stop(), 0);
  });
}

for (const [what, code] of [
  ['a loop', 'for (;;) {}'],
  ['a wait for nobody', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
] as const) {
  test.serial(`SIGTERM was lost while a plugin held the event loop with ${what}`, async (t) => {
    const dir = temporaryDirectory(t);
    const held = join(dir, 'held');
    write(dir, 'holds', `setTimeout(() => { writeFileSync(${JSON.stringify(held)}, ''); ${code} }, 1_000);`);
    const node = await watchedNode(t, dir);
    const startedMs = performance.now();
    while (!existsSync(held) && performance.now() - startedMs < HELD_WITHIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const askedMs = performance.now();
    t.is(await node.stop(), 0);
    t.true(performance.now() - askedMs < STOP_MAX_MS);
  });
}
