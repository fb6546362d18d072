import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { loadPlugin } from '../../kernel/lifecycle/loader.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const clock = new VirtualClock();

/** A plugin whose `about` is what `imported` says. */
const saying = (imports: string): string => `
${imports}
import { definePlugin } from 'itsgoin';
export default definePlugin({ name: 'says', version: '1.0.0', kernel: '^1', about: said, setup: () => ({}) });`;

async function said(path: string): Promise<string> {
  return (await loadPlugin(path, clock, undefined, { foreign: true })).plugin.about;
}

const helpers: Record<string, { file: string; imports: string; code: (text: string) => string }> = {
  '.cjs': {
    file: 'part.cjs',
    imports: "import said from './part.cjs';",
    code: (text) => `module.exports = '${text}';`,
  },
  'CommonJS .js': {
    file: 'part.js',
    imports: "import said from './part.js';",
    code: (text) => `module.exports = '${text}';`,
  },
  '.cts': {
    file: 'part.cts',
    imports: "import said from './part.cts';",
    code: (text) => `const said: string = '${text}'; module.exports = said;`,
  },
  '.mts': {
    file: 'part.mts',
    imports: "import { said } from './part.mts';",
    code: (text) => `export const said: string = '${text}';`,
  },
};

for (const [kind, { file, imports, code }] of Object.entries(helpers)) {
  test(`a reload said that it had taken over a changed ${kind} file, and ran the old one`, async (t) => {
    const dir = join(temporaryDirectory(t), 'says');
    mkdirSync(dir);
    writeFileSync(join(dir, 'plugin.ts'), saying(imports));
    for (const text of ['one', 'two', 'three']) {
      writeFileSync(join(dir, file), code(text));
      t.is(await said(dir), text);
    }
  });
}

test('a change behind a symbolic link was not seen', async (t) => {
  const base = temporaryDirectory(t);
  const [home, shared] = [join(base, 'home'), join(base, 'shared')];
  mkdirSync(join(home, 'says'), { recursive: true });
  mkdirSync(join(shared, 'parts'), { recursive: true });
  writeFileSync(
    join(home, 'says', 'plugin.ts'),
    saying("import { a } from './a.ts';\nimport { b } from './parts/b.ts';\nconst said = a + b;"),
  );
  symlinkSync(join(shared, 'a.ts'), join(home, 'says', 'a.ts'));
  symlinkSync(join(shared, 'parts'), join(home, 'says', 'parts'));
  symlinkSync(join(home, 'says'), join(base, 'linked'));
  for (const [a, b] of [
    ['1', '1'],
    ['2', '1'],
    ['2', '2'],
  ]) {
    writeFileSync(join(shared, 'a.ts'), `export const a = '${a}';`);
    writeFileSync(join(shared, 'parts', 'b.ts'), `export const b = '${b}';`);
    t.is(await said(join(base, 'linked')), `${a}${b}`);
  }
});

test('a change in what two plugins share was not seen by either', async (t) => {
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'shared'));
  for (const name of ['one', 'two']) {
    mkdirSync(join(base, name));
    writeFileSync(join(base, name, 'plugin.ts'), saying("import { said } from '../shared/words.ts';"));
  }
  for (const text of ['first', 'second', 'third']) {
    writeFileSync(join(base, 'shared', 'words.ts'), `export const said = '${text}';`);
    t.is(await said(join(base, 'one')), text);
    t.is(await said(join(base, 'two')), text);
  }
});

test('a lone file takes what it imports from beside it anew', async (t) => {
  const base = temporaryDirectory(t);
  writeFileSync(join(base, 'says.ts'), saying("import { said } from './words.ts';"));
  for (const text of ['first', 'second']) {
    writeFileSync(join(base, 'words.ts'), `export const said = '${text}';`);
    t.is(await said(join(base, 'says.ts')), text);
  }
});
