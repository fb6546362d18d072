import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { entryOf, findPlugins, isPlugin, loadPlugin } from '../../kernel/lifecycle/loader.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { counterPlugin } from './rig.ts';

const clock = new VirtualClock();

test('plugins are folders with a plugin file and lone code files; tests, types and others are none', (t) => {
  const dir = temporaryDirectory(t);
  for (const [path, text] of Object.entries({
    'typed/plugin.ts': '',
    'plain/plugin.js': '',
    'other/index.ts': '',
    'lone.ts': '',
    'lone.js': '',
    'lone.mts': '',
    'lone.mjs': '',
    'lone.test.ts': '',
    'lone.d.ts': '',
    'lone.json': '',
    'readme.md': '',
    'plugin.ts.swp': '',
  })) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const found = ['lone.js', 'lone.mjs', 'lone.mts', 'lone.ts', 'plain', 'typed'].map((name) => join(dir, name));
  t.deepEqual(findPlugins(dir), found);
  t.deepEqual(findPlugins(join(dir, 'nowhere')), []);
  t.false(isPlugin(join(dir, 'nowhere')));
});

test('of compiled and typed code in one folder the compiled runs', (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(join(dir, 'plugin.ts'), '');
  t.is(entryOf(dir), resolve(dir, 'plugin.ts'));
  writeFileSync(join(dir, 'plugin.js'), '');
  t.is(entryOf(dir), resolve(dir, 'plugin.js'));
  t.is(entryOf(join(dir, 'plugin.ts')), resolve(dir, 'plugin.ts'));
});

test('a mistake in the code was told without its place', async (t) => {
  const dir = temporaryDirectory(t);
  const cases: Record<string, [text: string, place: string, words: RegExp]> = {
    'typed.ts': ["export default {\n  name: 'x'\n  version: 1,\n};", ':3:3: ', /Expected ','/],
    'plain.mjs': ["export default {\n  name: 'x'\n  version: 1,\n};", ':3:3: ', /Unexpected identifier 'version'/],
    'enum.ts': ['export const x = 1;\nenum A { B }', ':2:1: ', /enum is not supported/],
    'export.ts': ["import { nope } from 'itsgoin';", ':1:10: ', /does not provide an export named 'nope'/],
    'throws.ts': ["export default 1;\nthrow new Error('boom');", ':2:7: ', /boom/],
  };
  for (const [name, [text, place, words]] of Object.entries(cases)) {
    const path = join(dir, name);
    writeFileSync(path, text);
    const error = await t.throwsAsync(loadPlugin(path, clock), { code: 'lifecycle/load-failed' }, name);
    t.true(error?.message.includes(`could not be loaded: ${path}${place}`), error?.message);
    t.regex(error?.message ?? '', words);
  }
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder', 'plugin.js'), "import './part.js';\nexport default 1;\n");
  writeFileSync(join(dir, 'folder', 'part.js'), 'export const one = 1;\nlet two = ;\n');
  const error = await t.throwsAsync(loadPlugin(join(dir, 'folder'), clock), { code: 'lifecycle/load-failed' });
  t.true(error?.message.includes(`${join(dir, 'folder', 'part.js')}:2:11: Unexpected token ';'`), error?.message);
});

test('a revision changes with the code, wherever in the folder it is, and with nothing else', async (t) => {
  const dir = join(temporaryDirectory(t), 'counter');
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
  writeFileSync(join(dir, 'step.ts'), 'export const step = 1;');
  writeFileSync(
    join(dir, 'plugin.ts'),
    `import { step } from './step.ts';\n${counterPlugin().replace('count += 1', 'count += step')}`,
  );
  const revisions: string[] = [];
  const load = async (): Promise<void> => {
    const { plugin, path, revision } = await loadPlugin(dir, clock);
    t.is(plugin.name, 'counter');
    t.is(path, resolve(dir));
    revisions.push(revision);
  };
  await load();
  for (const path of ['notes.md', 'step.test.ts', 'step.d.ts', 'node_modules/far.js'])
    writeFileSync(join(dir, path), 'x');
  await load();
  t.is(revisions[1], revisions[0]);
  t.regex(revisions[0] ?? '', /^[0-9a-f]{16}$/);
  writeFileSync(join(dir, 'step.ts'), 'export const step = 2;');
  await load();
  writeFileSync(join(dir, 'data.json'), '{}');
  await load();
  t.is(new Set(revisions).size, 3);
});

test('a folder of more than 500 code files is none of ours', async (t) => {
  const dir = join(temporaryDirectory(t), 'counter');
  mkdirSync(dir);
  writeFileSync(join(dir, 'plugin.ts'), counterPlugin());
  for (let n = 1; n < 500; n++) writeFileSync(join(dir, `${n}.js`), '');
  t.is((await loadPlugin(dir, clock)).plugin.name, 'counter');
  writeFileSync(join(dir, '500.js'), '');
  await t.throwsAsync(loadPlugin(dir, clock), { code: 'lifecycle/load-failed', message: /500/ });
});

test('code that is not there, throws, exports nothing or is no plugin is refused with its path', async (t) => {
  const dir = temporaryDirectory(t);
  const write = (name: string, code: string): string => {
    writeFileSync(join(dir, name), code);
    return join(dir, name);
  };
  await t.throwsAsync(loadPlugin(join(dir, 'nowhere.ts'), clock), {
    code: 'lifecycle/load-failed',
    message: /nowhere/,
  });
  await t.throwsAsync(loadPlugin(write('throws.js', "throw new Error('at once');"), clock), {
    code: 'lifecycle/load-failed',
    message: /throws\.js.*at once/,
  });
  await t.throwsAsync(loadPlugin(write('throws-text.js', "throw 'a text';"), clock), {
    code: 'lifecycle/load-failed',
    message: /a text/,
  });
  await t.throwsAsync(loadPlugin(write('nothing.js', ''), clock), { code: 'lifecycle/bad-manifest' });
});
