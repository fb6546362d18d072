import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';
import { pluginPath, watchedNode } from './node.ts';

const PLUGIN = (name: string, top = ''): string => `
import { definePlugin } from 'itsgoin';
${top}
export default definePlugin({ name: '${name}', version: '1.0.0', kernel: '^1', about: 'Harmless', setup: () => ({}) });
`;

/** A folder with a plugin that has a package of its own with this code. */
function withPackage(plugins: string, name: string, code: string): void {
  const home = join(plugins, name, 'node_modules', 'pkg');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'pkg', main: 'index.js' }));
  writeFileSync(join(home, 'index.js'), code);
  writeFileSync(join(plugins, name, 'plugin.ts'), PLUGIN(name, "import 'pkg';"));
}

test.serial(
  'what lay in the folder of plugins kept the node from starting, and packages of plugins were nobody’s',
  async (t) => {
    const dir = temporaryDirectory(t);
    const plugins = join(dir, 'plugins');
    for (const name of ['pipe', 'pipe-inside', 'large']) mkdirSync(join(plugins, name), { recursive: true });
    symlinkSync('itself.ts', join(plugins, 'itself.ts'));
    symlinkSync('.', join(plugins, 'large', 'loop'));
    execFileSync('mkfifo', [join(plugins, 'pipe', 'plugin.ts')]);
    execFileSync('mkfifo', [join(plugins, 'pipe-inside', 'part.js')]);
    writeFileSync(join(plugins, 'pipe-inside', 'plugin.ts'), PLUGIN('pipe-inside', "import './part.js';"));
    writeFileSync(join(plugins, 'large', 'plugin.ts'), PLUGIN('large'));
    writeFileSync(join(plugins, 'large', 'part.js'), '');
    truncateSync(join(plugins, 'large', 'part.js'), 1_500_000_000);
    withPackage(plugins, 'package-loops', 'setTimeout(() => { for (;;) {} }, 200);');
    withPackage(
      plugins,
      'package-throws',
      "for (let n = 0; n < 3; n++) setTimeout(() => { throw new Error('lost'); }, 300);",
    );
    writeFileSync(join(plugins, 'good.ts'), PLUGIN('good'));

    const reasons = {
      'pipe-inside': /held the event loop/,
      large: /more than \d+ bytes of code/,
      'package-loops': /held the event loop at .*package-loops\/node_modules.*"itsgoin plugin reload package-loops"/,
      'package-throws': /3 errors that nothing caught/,
    };
    for (let start = 0; start < 2; start++) {
      const node = await watchedNode(t, dir);
      const seen = await node.until(
        (listed) =>
          Object.entries(reasons).every(([name, reason]) =>
            reason.test(listed.find((plugin) => plugin.name === name)?.reason ?? ''),
          ),
        30_000,
      );
      for (const [name, reason] of Object.entries(reasons)) {
        t.regex(seen.find((plugin) => plugin.name === name)?.reason ?? '', reason);
      }
      t.is(seen.find(({ name }) => name === 'good')?.state, 'active');
      t.true(node.takeWorstMs() < (start === 0 ? 5_000 : 1_000));
      t.is(await node.stop(), 0);
    }
  },
);

test.serial('a regular expression in the schema of a command held the node for ever, and was nobody’s', async (t) => {
  const dir = temporaryDirectory(t);
  mkdirSync(join(dir, 'plugins'), { recursive: true });
  const code = `
import { defineCommand, definePlugin, Type } from 'itsgoin';
export default definePlugin({
  name: 'slow-schema', version: '1.0.0', kernel: '^1', about: 'Does harm',
  commands: { 'slow.check': defineCommand({
    about: 'Checks', params: Type.Object({ text: Type.String({ pattern: '^(a+)+$' }) }), result: Type.Object({}),
  }) },
  setup: () => ({ commands: { 'slow.check': () => ({}) } }),
});
`;
  writeFileSync(pluginPath(dir, 'slow-schema'), code);
  const node = await watchedNode(t, dir);
  await node.until((seen) => seen.some(({ name, state }) => name === 'slow-schema' && state === 'active'), 5_000);
  t.deepEqual(await node.ask('slow.check', { text: 'aaa' }), {});
  const asked = node.ask('slow.check', { text: `${'a'.repeat(60)}b` }).catch(() => 'lost');
  const seen = await node.until(
    (listed) => listed.some(({ reason }) => reason?.includes('held the event loop')),
    15_000,
  );
  t.is(await asked, 'lost');
  t.regex(seen.find(({ name }) => name === 'slow-schema')?.reason ?? '', /held the event loop/);
  t.true(node.takeWorstMs() < 5_000);
  t.is(await node.stop(), 0);
});
