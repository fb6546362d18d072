import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { NODE_VERSION } from '../../kernel/version.ts';

/** Lines without comments and blanks that each kernel folder may have; docs/decisions/kernel-size.md says why. */
const LINES_MAX: Record<string, number> = {
  bus: 300,
  clock: 350,
  command: 120,
  config: 500,
  control: 2_050,
  identity: 1_000,
  lifecycle: 3_400,
  observe: 300,
  sdk: 860,
  'sdk/kit': 450,
  'sdk/ui': 300,
  store: 1_450,
  testing: 1_400,
  transport: 3_560,
  wire: 3_000,
  'wire/shared': 1_000,
};

/** A folder with a size of its own does not count for the one it is in. */
function hasOwnSize(file: string): boolean {
  return Object.keys(LINES_MAX).some((folder) => folder.includes('/') && file.startsWith(`${folder}/`));
}

for (const [folder, max] of Object.entries(LINES_MAX)) {
  test(`kernel/${folder} keeps within ${max} lines of code`, (t) => {
    const files = readdirSync(join('kernel', folder), { recursive: true, encoding: 'utf8' });
    const code = files
      .filter((file) => file.endsWith('.ts') && (folder.includes('/') || !hasOwnSize(join(folder, file))))
      .flatMap((file) => readFileSync(join('kernel', folder, file), 'utf8').split('\n'))
      .filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line));
    t.true(code.length <= max, `${code.length} lines`);
  });
}

test('every kernel folder has a size', (t) => {
  const folders = readdirSync('kernel', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const sized = Object.keys(LINES_MAX).filter((folder) => !folder.includes('/'));
  t.deepEqual(folders.map(({ name }) => name).sort(), sized);
});

test('the version in the code is that of the package', (t) => {
  t.is((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version, NODE_VERSION);
});
