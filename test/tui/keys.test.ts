import test from 'ava';
import type { Key } from 'ink';
import { ACTION_KEY_PATTERN } from '../../kernel/sdk/ui/schemas.ts';
import { scopeStacks } from '../../tui/actions/index.ts';
import { keyPresses } from '../../tui/key-names.ts';
import { BINDINGS, type Binding, hintsOf } from '../../tui/keys.ts';
import { TABS } from '../../tui/tabs.ts';

test('no key means two things where both would listen', (t) => {
  const table: readonly Binding[] = BINDINGS;
  for (const stack of scopeStacks(TABS.map((tab) => tab.scopes))) {
    const keys = table.filter(({ scope }) => stack.includes(scope)).flatMap((binding) => binding.keys);
    const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
    t.deepEqual(twice, [], `in ${stack.join(' + ')}`);
  }
});

test('the letters that plugins may have are those that no key of the screen uses beside them', (t) => {
  const table: readonly Binding[] = BINDINGS;
  const own = table
    .filter(({ scope }) => ['diagnostics', 'settings', 'list', 'tabs', 'always'].includes(scope))
    .flatMap(({ keys }) => keys);
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const free = letters.filter((letter) => new RegExp(ACTION_KEY_PATTERN).test(letter));
  t.deepEqual(
    free,
    letters.filter((letter) => !own.includes(letter)),
  );
});

test('every line of the help fits a screen of 80 columns', (t) => {
  const table: readonly Binding[] = BINDINGS;
  const tooLong = table.filter(({ about }) => about.length > 80 - 4 - 24).map(({ about }) => about);
  t.deepEqual(tooLong, []);
});

test('a text field takes every printable character', (t) => {
  const table: readonly Binding[] = BINDINGS;
  for (const scope of ['text', 'compose', 'prompt', 'always'] as const) {
    const printable = table
      .filter((one) => one.scope === scope)
      .flatMap(({ keys }) => keys)
      .filter((key) => [...key].length === 1);
    t.deepEqual(printable, [], scope);
  }
});

test('every scope of the tabs has a way to help and to quit in the status line', (t) => {
  for (const tab of TABS) {
    const hints = hintsOf([...tab.scopes, 'list', 'tabs']).map(({ hint }) => hint);
    t.true(hints.includes('help') && hints.includes('quit'), tab.id);
  }
});

const NO_KEY = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
} as Key;

test('characters that arrive together are single key presses, and enter among them is enter', (t) => {
  t.deepEqual(keyPresses('ab 👩‍🚀\r', NO_KEY), [
    { text: 'a' },
    { text: 'b' },
    { key: 'space' },
    { text: '👩‍🚀' },
    { key: 'enter' },
  ]);
});

test('modifiers are part of the name', (t) => {
  t.deepEqual(keyPresses('c', { ...NO_KEY, ctrl: true }), [{ key: 'ctrl+c' }]);
  t.deepEqual(keyPresses('\r', { ...NO_KEY, return: true, meta: true }), [{ key: 'alt+enter' }]);
  t.deepEqual(keyPresses('', { ...NO_KEY, tab: true, shift: true }), [{ key: 'shift+tab' }]);
  t.deepEqual(keyPresses('\u0007', NO_KEY), []);
});
