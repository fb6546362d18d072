import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { identicon } from '../../tui/identicon.ts';
import { safeLine, safeText } from '../../kernel/sdk/kit/safe-text.ts';
import * as editor from '../../tui/store/editor.ts';
import { columnsOf, graphemes, truncate, wrap } from '../../tui/wrap.ts';

test('safe text holds nothing a terminal would obey, whatever came in', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (raw) => {
      t.notRegex(safeText(`\u001b[${raw}\u009b${raw}`), /[\p{Cc}--[\n]]|[\u202a-\u202e\u2066-\u2069\u200e\u200f]/v);
    }),
  );
  t.pass();
});

test('escape sequences vanish whole, line breaks of all kinds become one, tabs become spaces', (t) => {
  t.is(safeText('a\u001b[31mb\u001b[0m\u001b]8;;http://x\u0007c'), 'abc');
  t.is(safeText('a\r\nb\rc\u2028d\te'), 'a\nb\nc\nd  e');
  t.is(safeLine('two\nlines  '), 'two lines');
});

test('overrides of direction and invisible fillers are taken out', (t) => {
  t.is(safeText('pay\u202Eelpmaxe\u202C \u2066x\u2069 a\u200Bb\u{e0041}c\u00add\u3164'), 'payelpmaxe x abcd');
});

test('marks do not stack beyond their line, joiners live only in emoji, lone surrogates are replaced', (t) => {
  t.is(safeText(`e${'\u0301'.repeat(50)}x`), `e${'\u0301'.repeat(3)}x`);
  t.is(safeText('👨‍👩‍👧'), '👨‍👩‍👧');
  t.is(safeText('a\u200db'), 'ab');
  t.is(safeText('x\ud800y'), 'x\ufffdy');
});

test('wrapped lines fit and lose nothing but spaces', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 8, max: 60 }), (raw, width) => {
      const text = safeText(raw);
      const { lines, more } = wrap(text, width);
      const bare = (of: string) => of.replace(/\s/gu, '');
      return !more && lines.every((line) => columnsOf(line) <= width) && bare(lines.join('')) === bare(text);
    }),
  );
  t.pass();
});

test('wide characters and very long words break inside the width', (t) => {
  t.deepEqual(wrap('日本語テキスト', 6).lines, ['日本語', 'テキス', 'ト']);
  t.deepEqual(wrap('x'.repeat(25), 10).lines, ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
  t.deepEqual(wrap('one two three', 8).lines, ['one two', 'three']);
  t.true(wrap('a\n'.repeat(100), 10, 4).more);
});

test('only what is shown of a long text is worked on', (t) => {
  const huge = 'é '.repeat(500_000);
  const startedMs = performance.now();
  t.is(wrap(huge, 60, 4).lines.length, 4);
  t.true(performance.now() - startedMs < 200);
});

test('cutting counts columns, not characters', (t) => {
  t.is(truncate('日本語', 5), '日本…');
  t.is(truncate('plain', 5), 'plain');
  t.is(truncate('plainer', 5), 'plai…');
});

test('the same NodeId gives the same picture, others give others (UI-25)', (t) => {
  const ids = Array.from({ length: 200 }, (_, index) => createHash('sha256').update(String(index)).digest('hex'));
  t.deepEqual(identicon(ids[0] ?? ''), identicon(ids[0] ?? ''));
  const pictures = new Set(ids.map((id) => JSON.stringify(identicon(id))));
  t.true(pictures.size > 150, `${pictures.size} of 200 differ`);
  for (const id of ids) t.deepEqual(identicon(id).lines.map(columnsOf), [5, 5]);
});

test('editing keeps the cursor within the text and off the inside of characters', (t) => {
  const edits = [
    editor.left,
    editor.right,
    editor.lineStart,
    editor.lineEnd,
    editor.lineUp,
    editor.lineDown,
    editor.wordLeft,
    editor.wordRight,
    editor.deleteBack,
    editor.deleteForward,
    editor.deleteWord,
    editor.deleteToStart,
    editor.deleteToEnd,
    editor.insert('ab cd'),
    editor.insert('\n'),
    editor.insert('👩‍🚀'),
    editor.insert('e\u0301'),
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...edits), { maxLength: 40 }), (steps) => {
      const end = steps.reduce((state, step) => step(state), editor.EMPTY);
      return (
        end.cursor >= 0 &&
        end.cursor <= end.characters.length &&
        end.characters.every((one) => graphemes(one).length === 1)
      );
    }),
  );
  t.pass();
});

test('words are deleted and lines are moved between as in a shell', (t) => {
  const typed = editor.editorOf('one two\nthree');
  t.is(editor.textOf(editor.deleteWord(typed)), 'one two\n');
  t.is(editor.lineUp(typed).cursor, 5);
  t.is(editor.textOf(editor.deleteToStart(typed)), 'one two\n');
  t.is(editor.lineDown({ ...typed, cursor: 1 }).cursor, 9);
});
