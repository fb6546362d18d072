import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlErrors } from './errors.ts';

const NAME = /^(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Writes a working plugin with its test into `{dataDir}/plugins`: a folder, or one `.ts` file.
 * Returns the paths written. Nothing is ever overwritten.
 *
 * @throws control/bad-name, control/file-exists
 */
export function writePlugin(dataDir: string, name: string, single: boolean): string[] {
  if (!NAME.test(name)) throw controlErrors.make('bad-name', { name });
  const root = join(dataDir, 'plugins');
  for (const taken of [join(root, name), join(root, `${name}.ts`)]) {
    if (existsSync(taken)) throw controlErrors.make('file-exists', { path: taken });
  }
  const folder = single ? root : join(root, name);
  const base = single ? name : 'plugin';
  // The plugin itself last, so that a node that watches the folder sees it complete.
  const files = single ? ['plugin.test.ts', 'plugin.ts'] : ['README.md', 'plugin.test.ts', 'plugin.ts'];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  linkPackage(root);
  const settings = single ? [] : writeSettings(folder, name);
  return settings.concat(
    files.map((file) => {
      const path = join(folder, file.replace('plugin', base));
      const template = readFileSync(join(packageRoot(), 'scripts', 'plugin-template', `${file}.txt`), 'utf8');
      const named = template.replaceAll('NAME', name).replaceAll('./plugin.ts', `./${base}.ts`);
      // A folder is one plugin; lone files share theirs.
      const text = single ? named.replaceAll('import.meta.dirname', `new URL('./${base}.ts', import.meta.url)`) : named;
      writeFileSync(path, text, { flag: 'wx' });
      return path;
    }),
  );
}

/** A package of its own: `npm install` in a plugin's folder is for that plugin alone. */
function writeSettings(folder: string, name: string): string[] {
  const [packages, types] = [join(folder, 'package.json'), join(folder, 'tsconfig.json')];
  writeNew(packages, { name, private: true, type: 'module', scripts: { test: 'node --test' } });
  writeNew(types, { extends: '../tsconfig.json' });
  return [packages, types];
}

/**
 * Lets tests and editors find `itsgoin` from the data directory; the node itself needs no help. The
 * package is named as a dependency, or `npm install` of another one would take its link away.
 */
function linkPackage(root: string): void {
  const packages = packageRoot();
  writeNew(join(root, 'package.json'), {
    private: true,
    type: 'module',
    dependencies: { itsgoin: `file:${packages}` },
  });
  writeNew(join(root, 'tsconfig.json'), {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      // What Node can strip, and nothing else.
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: ['./node_modules/itsgoin/node_modules/@types', './node_modules/@types'],
    },
    include: ['**/*.ts'],
  });
  const link = join(root, 'node_modules', 'itsgoin');
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(packages, link, 'junction');
}

/** Writes a JSON file where there is none. */
function writeNew(path: string, content: object): void {
  if (!existsSync(path)) writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
}

/** The folder of package.json, whether this runs compiled in `dist/` or as source. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
