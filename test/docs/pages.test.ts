import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';

/** Pages are read raw in editors and terminals as well. */

const GENERATED = new Set(['docs/limits.md', 'docs/commands.md', 'docs/errors.md', 'docs/protocol.md']);
const pages = globSync(['*.md', 'docs/**/*.md', 'plugins/*/README.md', 'sim/*.md', 'scripts/plugin-template/*.txt']);

function linesOver(max: number, files: readonly string[]): string[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => ([...line].length > max ? [`${file}:${index + 1} ${[...line].length}`] : [])),
  );
}

test('a written line has at most 200 characters', (t) => {
  t.deepEqual(
    linesOver(
      200,
      pages.filter((file) => !GENERATED.has(file) && !file.startsWith('plugins/')),
    ),
    [],
  );
});

test('a line of a plugin README has at most 120 characters', (t) => {
  t.deepEqual(
    linesOver(
      120,
      pages.filter((file) => file.startsWith('plugins/')),
    ),
    [],
  );
});

test('every link inside the repository leads somewhere', (t) => {
  const broken = pages.flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
    return [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(target)) return [`${file}: ${link}`];
      return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [`${file}: ${link}`];
    });
  });
  t.deepEqual(broken, []);
});

test('every path that a page names is there', (t) => {
  const named = /`((?:kernel|plugins|test|docs|scripts|tui|cli|sim|bench|bin)\/[\w/.-]+)`/g;
  const missing = pages
    // The tests of requirements have their own spelling, and test.
    .filter((file) => !GENERATED.has(file) && file !== 'docs/requirements.md')
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(named)]
        .map(([, path = '']) => path)
        .filter((path) => !['', '.ts', '.tsx', '.test.ts'].some((ending) => existsSync(`${path}${ending}`)))
        .map((path) => `${file}: ${path}`),
    );
  t.deepEqual(missing, []);
});

test('CONTRIBUTING says of each plugin what to look for in it', (t) => {
  const [, table = ''] = readFileSync('CONTRIBUTING.md', 'utf8').split('| plugin | look here for |');
  const rows = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  t.deepEqual(rows.sort(), readdirSync('plugins').sort());
});

/** What headings are linked by: lower case, punctuation dropped, spaces as hyphens. */
function anchorsOf(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
