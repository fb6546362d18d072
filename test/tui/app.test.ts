import test from 'ava';
import { TABS } from '../../tui/tabs.ts';
import { columnsOf } from '../../tui/wrap.ts';
import { ALICE, BOB, FakeNode, SELF } from './fake-node.ts';
import { openScreen } from './screen.ts';

function busyNode(posts = 60): FakeNode {
  const node = new FakeNode();
  for (let index = 0; index < posts; index += 1) {
    node.addPost(
      [ALICE, BOB, SELF][index % 3] ?? ALICE,
      `Post number ${index}. ${'Some words that fill it. '.repeat(index % 12)}`,
      index * 60_000,
    );
  }
  return node;
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [50, 14],
  [200, 60],
  [40, 10],
  [20, 5],
] as const) {
  test(`no tab or overlay is taller than ${rows - 1} lines or wider than ${columns} columns at ${columns}x${rows}`, async (t) => {
    const screen = await openScreen(busyNode(), columns, rows);
    t.teardown(() => screen.close());
    const check = (what: string) => {
      const lines = screen.lines();
      t.true(lines.length <= rows - 1, `${what}: ${lines.length} lines`);
      for (const line of lines) t.true(columnsOf(line) <= columns, `${what}: ${columnsOf(line)} columns in "${line}"`);
    };
    for (let tab = 1; tab <= TABS.length; tab += 1) {
      await screen.press(String(tab));
      check(`tab ${tab}`);
      await screen.press('enter');
      check(`item of tab ${tab}`);
      await screen.press('esc', '?');
      check('help');
      await screen.press('esc');
    }
    await screen.press('1', 'n');
    await screen.type('A long draft. '.repeat(60));
    check('compose');
    await screen.press('ctrl+c');
    check('question over compose');
  });
}

test('the tabs are reached by number, tab and shift+tab', async (t) => {
  const screen = await openScreen(busyNode());
  t.teardown(() => screen.close());
  t.regex(screen.text(), /1 Feed {2}2 My Posts {2}3 People {2}4 Settings {2}5 Diagnostics/);
  await screen.press('3');
  t.regex(screen.text(), /Online {2}1/);
  await screen.press('tab');
  t.regex(screen.text(), /Identity/);
  await screen.press('shift+tab', 'shift+tab');
  t.is(screen.session.shell.state.get().tab, 'mine');
});

test('Suggested Peers and Find Nearby do not exist, and compose asks how it is goin (UI-15)', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  t.regex(screen.text(), /How's it goin\?/);
  for (let tab = 1; tab <= TABS.length; tab += 1) {
    await screen.press(String(tab));
    t.notRegex(screen.text(), /Suggested|Nearby/);
  }
});

test('a tiny window gets a message instead of garbage, and comes back when it grows', async (t) => {
  const screen = await openScreen(busyNode());
  t.teardown(() => screen.close());
  await screen.resize(40, 10);
  t.regex(screen.text(), /40×10 is too small/);
  // What is typed blindly does nothing.
  for (const key of ['n', 'x', 'enter', '5']) await screen.press(key);
  await screen.resize(100, 30);
  t.is(screen.lines().length, 29);
  t.regex(screen.text(), /Post number 0/);
});

test('the header shows who, peers and uptime; help is made from the key table', async (t) => {
  const screen = await openScreen(busyNode());
  t.teardown(() => screen.close());
  t.regex(screen.lines()[0] ?? '', /itsgoin .*● Dana {2}5e1fabab .*2 peers · 60 posts · up 2h 5m/);
  await screen.press('?');
  t.regex(screen.text(), /n +Write a post/);
  await screen.press('G');
  t.regex(screen.text(), /ctrl\+c +Quit; asks once/);
  await screen.press('esc');
  t.regex(screen.text(), /Post number 0/);
});

test('quitting with a draft asks first, and a second ctrl+c does not', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('n');
  await screen.type('half a thought');
  await screen.press('ctrl+c');
  t.regex(screen.text(), /Quit and lose your draft\?/);
  await screen.press('n');
  t.false(screen.hasQuit());
  t.regex(screen.text(), /half a thought/);
  await screen.press('ctrl+c', 'ctrl+c');
  t.true(screen.hasQuit());
});

test('quitting without a draft does not ask', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('q');
  t.true(screen.hasQuit());
});

test('a dropped connection is shown and made anew, with its subscriptions', async (t) => {
  const screen = await openScreen(busyNode());
  t.teardown(() => screen.close());
  screen.node.drop();
  await screen.clock.advance(6_000);
  t.regex(screen.lines()[0] ?? '', /node not reachable for \d+s, trying again/);
  t.regex(screen.text(), /Post number 0/, 'what was read stays');
  screen.node.down = false;
  await screen.clock.advance(2_000);
  t.regex(screen.lines()[0] ?? '', /up 2h 5m/);
  screen.node.addPost(ALICE, 'After the drop');
  screen.node.emit('content/post-stored');
  await screen.clock.advance(1_000);
  t.regex(screen.text(), /After the drop/);
  t.is(screen.node.listeners('events'), 1);
});

test('the UI ends when the node of its own process stops', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  screen.node.close();
  await screen.clock.advance(100);
  t.true(screen.hasQuit());
});

test('an error shows its code, message and hint in the status line', async (t) => {
  const screen = await openScreen(busyNode(), 160);
  t.teardown(() => screen.close());
  screen.node.answers.set('peer.connect', () => {
    throw Object.assign(new Error('Nobody answered at 192.0.2.9:1'), {
      code: 'transport/dial-timeout',
      hint: 'Is it running?',
    });
  });
  await screen.press('3', 'c');
  await screen.type('aa@192.0.2.9:1');
  await screen.press('enter');
  t.regex(screen.lines().at(-1) ?? '', /transport\/dial-timeout: Nobody answered at 192\.0\.2\.9:1 {2}Is it running\?/);
});

test('a command typed as a line runs in the words of the command line', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press(':');
  await screen.type('post create --text "from the palette"');
  await screen.press('enter');
  await screen.clock.advance(100);
  t.deepEqual(
    screen.node.posts.map(({ text }) => text),
    ['from the palette'],
  );
  await screen.press('esc', ':');
  await screen.type('post create');
  await screen.press('enter');
  await screen.clock.advance(100);
  t.regex(screen.lines().at(-1) ?? '', /cli\/missing-param/);
});
