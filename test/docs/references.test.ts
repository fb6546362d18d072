import { existsSync, globSync, readFileSync } from 'node:fs';
import test from 'ava';

/** What code and pages refer to by number is defined in this repository: requirements, X and H rows, design sections. */

const SOURCES = ['kernel', 'plugins', 'tui', 'cli', 'test', 'bench', 'sim', 'scripts', 'lab'];
const files = [
  ...globSync(SOURCES.map((folder) => `${folder}/**/*.{ts,tsx,mjs,json,md,txt}`)),
  ...globSync(['*.md', 'docs/**/*.md']),
].map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n') }));

const requirements = readFileSync('docs/requirements.md', 'utf8');
const design = readFileSync('docs/design.md', 'utf8');
const originals = readFileSync('docs/originals.md', 'utf8');

/** The first words of list items and table rows that define something: `- **CYC-02** ...`, `| **DB-01** | ...`. */
const defined = [...requirements.matchAll(/^(?:- |\| )\*\*([A-Z]+-?[0-9A-F]+)\*\*/gm)].map(
  (match) => match[1] as string,
);
const groups = [...new Set(defined.filter((id) => /^[A-Z]{2,}-/.test(id)).map((id) => id.split('-')[0] as string))];

/** Each match of `pattern` that `isKnown` does not know, with its place. */
function unknown(pattern: RegExp, isKnown: (match: RegExpMatchArray) => boolean): string[] {
  return files.flatMap(({ file, lines }) =>
    lines.flatMap((line, index) =>
      [...line.matchAll(pattern)].filter((match) => !isKnown(match)).map(([text]) => `${file}:${index + 1} ${text}`),
    ),
  );
}

test('no row is defined twice, and the table of groups counts them', (t) => {
  t.deepEqual(
    defined.filter((id, index) => defined.indexOf(id) !== index),
    [],
  );
  const counted = [...requirements.matchAll(/^\| ([A-Z]+) \| [^|]+ \| (\d+) \|$/gm)].map(([, name, rows]) => [
    name,
    rows,
  ]);
  t.deepEqual(
    counted,
    groups.map((name) => [name, String(defined.filter((id) => id.startsWith(`${name}-`)).length)]),
  );
});

test('every requirement that is named anywhere has a row', (t) => {
  t.true(defined.length > 400, 'the rows are read');
  const ids = new RegExp(`\\b(?:${groups.join('|')})-[0-9A-Fa-f]{2}\\b`, 'g');
  t.deepEqual(
    unknown(ids, ([id]) => defined.includes(id)),
    [],
  );
});

test('every X and H number has a row', (t) => {
  t.deepEqual(
    unknown(/\b(?:X-\d+|H-?\d{1,2})\b/g, ([id]) => defined.includes(id)),
    [],
  );
});

test('every design section that is named is there', (t) => {
  const sections = [...design.matchAll(/^## (\d+) /gm)].map((match) => match[1]);
  t.true(sections.length > 0, 'the sections are read');
  t.deepEqual(
    unknown(/\b[Dd]esign,? sections? (\d+)/g, ([, section]) => sections.includes(section)),
    [],
  );
});

test('every section of the original design that is named is in the list, and code names none', (t) => {
  const sections = [...originals.matchAll(/^\| (§\d+|App [A-Z]) \|/gm)].map((match) => match[1]);
  t.deepEqual(
    unknown(/D(?:§(\d+)| (App [A-Z]))/g, ([, section, appendix]) => sections.includes(appendix ?? `§${section}`)),
    [],
  );
  const code = files.filter(({ file }) => /\.tsx?$/.test(file) && !file.startsWith('test/docs/'));
  t.deepEqual(
    code.filter(({ lines }) => lines.some((line) => /\bD ?§|\bseeds? [DCT]\b/.test(line))).map(({ file }) => file),
    [],
  );
});

test('a comment says more than an id', (t) => {
  const lone = new RegExp(
    `^\\s*(?:/\\*\\*|\\*|//)\\s*(?:(?:${groups.join('|')})-[0-9A-F]{2}(?:,? and |, |\\.|\\s)*)+(?:\\*/)?$`,
  );
  t.deepEqual(
    files.flatMap(({ file, lines }) =>
      lines.flatMap((line, index) => (lone.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
    ),
    [],
  );
});

test('every test that a requirement names is there', (t) => {
  const named = [...requirements.matchAll(/^ {2}- tested:(?:.*\n {4})*.*|^\| \*\*.*\|$/gm)].flatMap(([text]) =>
    [...text.matchAll(/`([a-z-]+\/[a-z0-9-]+)`/g)].map((match) => match[1] as string),
  );
  t.true(named.length > 150, 'the names are read');
  t.deepEqual(
    [...new Set(named)].filter((name) => !existsSync(`test/${name}.test.ts`) && !existsSync(`test/${name}.ts`)),
    [],
  );
});
