import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import { mutantsOf, sample } from '../../scripts/mutate/mutants.ts';
import { runMutants, type Verdict } from '../../scripts/mutate/mutation-run.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const PROJECT = {
  'package.json': JSON.stringify({ type: 'module', ava: { files: ['dist/test/**/*.test.js'], timeout: '60s' } }),
  'dist/shop/price.js': [
    'export function priceOf(pieces) {',
    '  return pieces >= 10 ? pieces * 2 : pieces * 3;',
    '}',
    'export function countDown(from) {',
    '  let left = from;',
    '  while (left > 0) left -= 1;',
    '  return left;',
    '}',
    'export function forgotten(a) {',
    '  return !a;',
    '}',
  ].join('\n'),
  // Knows nothing of the boundary at 10.
  'dist/test/shop/price.test.js': [
    "import test from 'ava';",
    "import { countDown, priceOf } from '../../shop/price.js';",
    "test('many', (t) => t.is(priceOf(20), 40));",
    "test('few', (t) => t.is(priceOf(5), 15));",
    "test('down', (t) => t.is(countDown(3), 0));",
  ].join('\n'),
  'dist/test/other/broken.test.js': "import test from 'ava';\ntest('never', (t) => t.fail());",
};

test('tells what the tests of a project see, miss, never run and run for ever', async (t) => {
  const root = temporaryDirectory(t);
  for (const [path, text] of Object.entries(PROJECT)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  const { verdicts, unfit } = await runMutants({
    root,
    mutants: mutantsOf(root, 'shop').filter(({ operator }) => !/return|condition/.test(operator)),
    tests: ['dist/test/other/broken.test.js', 'dist/test/shop/price.test.js'],
    area: 'shop',
    budgetMs: 25_000,
    graceMs: 1_500,
    workers: 2,
    signal: AbortSignal.timeout(50_000),
    progress: (text) => t.log(text),
  });
  const show = ({ end, mutant }: Verdict): string => `${end} ${mutant.place} ${mutant.mutated}`;
  const expected = [
    'killed dist/shop/price.js:2 return pieces < 10 ? pieces * 2 : pieces * 3;',
    'killed dist/shop/price.js:2 …turn pieces >= 10 ? pieces * 2 : pieces / 3;',
    'killed dist/shop/price.js:2 return pieces >= 10 ? pieces / 2 : pieces * 3;',
    'killed dist/shop/price.js:6 while (left <= 0) left -= 1;',
    'killed dist/shop/price.js:6 while (left >= 0) left -= 1;',
    'survived dist/shop/price.js:2 return pieces > 10 ? pieces * 2 : pieces * 3;',
    'timeout dist/shop/price.js:6 while (left > 0) left += 1;',
    'unreached dist/shop/price.js:10 return (a);',
  ];
  t.deepEqual(verdicts.map(show).sort(), expected.sort());
  t.deepEqual(unfit, ['dist/test/other/broken.test.js']);
});

test('a seed chooses the same mutants again, another one others', (t) => {
  const all = mutantsOf('.', 'scripts/mutate');
  const places = (seed: string): string[] => sample(all, 10, seed).map(({ place, text }) => place + text);
  t.deepEqual(places('7'), places('7'));
  t.notDeepEqual(places('7'), places('8'));
  t.is(new Set(sample(all, all.length + 1, '7')).size, all.length);
});

test('a mutant is shown at its line in the source', (t) => {
  const places = mutantsOf('.', 'scripts/mutate').map(({ place }) => place);
  t.true(places.every((place) => /^scripts\/mutate\/[a-z-]+\.ts:\d+$/.test(place)));
});
