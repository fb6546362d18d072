import test from 'ava';
import type { UiLine } from '../../kernel/sdk/ui/index.ts';
import { paramOf, partsOf, tell, textOf, valueAt } from '../../tui/store/words.ts';
import { ALICE, BOB } from './fake-node.ts';

test('a path goes into objects and through lists, and reads own fields only', (t) => {
  const value = { peer: { nodeId: ALICE }, steps: [{ result: 'asked' }, { result: 'connected' }, 7, null] };
  t.is(valueAt(value, 'peer.nodeId'), ALICE);
  t.deepEqual(valueAt(value, 'steps.result'), ['asked', 'connected']);
  for (const path of ['constructor', 'constructor.name', '__proto__', 'peer.toString', 'steps.length', 'none.at.all'])
    t.true([undefined, '[]'].includes(JSON.stringify(valueAt(value, path))), path);
});

for (const [template, value, text] of [
  ['{n|count} of {list|count:peer}', { n: 1_204_331, list: [1] }, '1,204,331 of 1 peer'],
  ['{n|count:post}', {}, '0 posts'],
  ['{n|fixed}', { n: 1.3 }, '1.30'],
  ['{n|bytes} {d|duration} {t|time}', { n: 84e6, d: 7_500_000 }, '84 MB 2h 5m –'],
  ['{id|id}', { id: ALICE }, 'a11ce03c'],
  ['{a}, {b}, {c}, {d}', { a: true, b: null, c: { deep: 1 }, d: ['x', 'y'] }, 'true, –, –, x, y'],
  ['{steps|list:what who}', { steps: [{ what: 'asked', who: BOB }, { what: 'gave up' }] }, 'asked b0b0007d, gave up –'],
  [
    '{steps|list}',
    { steps: Array.from({ length: 11 }, (_, index) => `s${index}`) },
    's0, s1, s2, s3, s4, s5, s6, s7, and 3 more',
  ],
  ['{steps|list}', { steps: 7 }, '–'],
  ['a\u001b[2Jb {x}', { x: '\u202eup\u001b]0;t\u0007\nside' }, 'ab up side'],
  ['{x|nod} {a b} {', { x: 1 }, '{x|nod} {a b} {'],
] as const) {
  test(`${JSON.stringify(template)} reads ${JSON.stringify(text)}`, (t) => {
    t.is(textOf(template, value), text);
  });
}

test('only a whole id is a node, and text of any length stays short', (t) => {
  t.deepEqual(partsOf('{a|node} {b|node}', { a: ALICE, b: ALICE.slice(1) }), [{ nodeId: ALICE }, ' ', ALICE.slice(1)]);
  t.true(textOf('{a}', { a: 'x'.repeat(1_000_000) }).length <= 120);
});

test('the first line whose values are there is told, and none when none is', (t) => {
  const lines: UiLine[] = [
    { when: { 'steps.result': 'connected' }, tone: 'good', text: 'reached' },
    { when: { steps: null }, text: 'nobody' },
    { when: { ok: false, n: 0 }, text: 'failed' },
  ];
  const told = (value: unknown) => tell(lines, value)?.parts.join('');
  t.is(told({ steps: [{ result: 'asked' }, { result: 'connected' }] }), 'reached');
  t.is(told({ steps: [] }), 'nobody');
  t.is(told({}), 'nobody');
  t.is(told({ steps: [{ result: 'asked' }], ok: false, n: 0 }), 'failed');
  t.is(told({ steps: [{ result: 'asked' }], ok: false, n: 1 }), undefined);
  t.is(told('nonsense'), 'nobody');
});

test('a param of one field keeps its type', (t) => {
  t.is(paramOf('{n}', { n: 7 }), 7);
  t.is(paramOf('number {n}', { n: 7 }), 'number 7');
  t.is(paramOf('constant', {}), 'constant');
});
