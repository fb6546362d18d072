import test from 'ava';
import { listWindow } from '../../tui/components/list-window.ts';
import { POSTS_MAX } from '../../tui/store/post-list.ts';
import { ALICE, FakeNode, SELF } from './fake-node.ts';
import { openScreen } from './screen.ts';

test('writing and publishing a post puts it at the top of the feed', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('n');
  await screen.type('Hello');
  await screen.press('ctrl+j');
  await screen.type('there! q n 1 ?');
  await screen.press('enter');
  await screen.clock.advance(500);
  t.is(screen.node.posts[0]?.text, 'Hello\nthere! q n 1 ?');
  t.regex(screen.text(), /▌ .*Hello/);
  t.regex(screen.text(), /Dana {2}you .* now {2}○ public/);
  t.false(screen.hasQuit());
});

test('a post that is refused keeps the draft', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  screen.node.answers.set('post.create', () => {
    throw Object.assign(new Error('The disk is full'), { code: 'store/disk-full', hint: 'Make room' });
  });
  await screen.press('n');
  await screen.type('precious words');
  await screen.press('enter');
  t.regex(screen.text(), /precious words/);
  t.regex(screen.lines().at(-1) ?? '', /store\/disk-full: The disk is full {2}Make room/);
});

test('closing compose keeps the draft, throwing it away can be undone', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('n');
  await screen.type('later');
  await screen.press('esc');
  t.regex(screen.text(), /draft: later/);
  await screen.press('n', 'ctrl+x');
  t.notRegex(screen.text(), /draft: later/);
  await screen.press('u');
  t.regex(screen.text(), /│ later/);
});

test('deleting asks, and only deletes what is yours', async (t) => {
  const node = new FakeNode();
  node.addPost(SELF, 'mine to delete', 1_000);
  node.addPost(ALICE, 'not mine', 2_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await screen.press('j', 'D');
  t.regex(screen.lines().at(-1) ?? '', /Only your own posts/);
  await screen.press('k', 'D');
  t.regex(screen.text(), /Delete this post everywhere\?/);
  await screen.press('n');
  t.is(node.posts.length, 2);
  await screen.press('D', 'y');
  await screen.clock.advance(500);
  t.deepEqual(
    node.posts.map(({ text }) => text),
    ['not mine'],
  );
  t.notRegex(screen.text(), /mine to delete/);
});

test('a post deleted elsewhere leaves the screen', async (t) => {
  const node = new FakeNode();
  const gone = node.addPost(ALICE, 'short-lived', 1_000);
  node.addPost(ALICE, 'stays', 2_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  t.regex(screen.text(), /short-lived/);
  await node.call('post.delete', { id: gone.id });
  await screen.clock.advance(500);
  t.notRegex(screen.text(), /short-lived/);
  t.regex(screen.text(), /stays/);
});

test('new posts above the selection are announced and do not move it', async (t) => {
  const node = new FakeNode();
  for (let index = 0; index < 30; index += 1) node.addPost(ALICE, `old ${index}`, 60_000 + index * 1_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await screen.press('j', 'j', 'j');
  const selected = screen.session.feed.selected?.id;
  node.addPost(ALICE, 'brand new');
  node.emit('content/post-stored');
  await screen.clock.advance(500);
  t.is(screen.session.feed.selected?.id, selected);
  t.regex(screen.text(), /↑ 1 new post/);
  await screen.press('g');
  t.regex(screen.text(), /▌ .*brand new/);
  t.notRegex(screen.text(), /↑ 1 new/);
});

test('10,000 posts are read page by page as one scrolls, and few of them are drawn', async (t) => {
  const node = new FakeNode();
  for (let index = 0; index < 12_000; index += 1) node.addPost(ALICE, `number ${index}`, index * 1_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  t.is(node.countOf('feed.list'), 1, 'one page at the start');
  for (let page = 0; page < 250; page += 1) {
    screen.session.feed.cursor.last();
    await screen.clock.advance(0);
  }
  t.is(screen.session.feed.state.get().posts.length, POSTS_MAX, 'capped');
  const startedMs = performance.now();
  await screen.press('G');
  t.regex(screen.text(), /▌ .*number 9999/);
  t.true(performance.now() - startedMs < 2_000, 'drawing does not grow with the list');
  t.true(screen.lines().length <= 23);
});

test('a window of a list looks at the shown items only', (t) => {
  let looked = 0;
  const heightAt = () => {
    looked += 1;
    return 3;
  };
  const window = listWindow(1_000_000, heightAt, 20, 999_999, 0);
  t.deepEqual(window, { first: 999_994, end: 1_000_000 });
  t.true(looked < 40);
});

test('a filter shows what matches and says how much was searched', async (t) => {
  const node = new FakeNode();
  node.addPost(ALICE, 'about bread', 1_000);
  node.addPost(ALICE, 'about stones', 2_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await screen.press('/');
  await screen.type('bread');
  t.regex(screen.text(), /filter "bread" {2}1 of 2 read posts/);
  t.notRegex(screen.text(), /stones/);
  await screen.press('esc');
  t.regex(screen.text(), /stones/);
});

test('an open post shows the whole text and its details', async (t) => {
  const node = new FakeNode();
  node.addPost(ALICE, `${'line\n'.repeat(40)}the last line`, 1_000, 'friends');
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  t.notRegex(screen.text(), /the last line/);
  await screen.press('enter', 'G');
  t.regex(screen.text(), /the last line/);
  t.regex(screen.text(), new RegExp(`author +${ALICE}`));
});

test('hostile text reaches the screen without sequences, controls or overrides', async (t) => {
  const node = new FakeNode();
  node.addPost(ALICE, 'start\u001b[2J\u001b]0;owned\u0007\u009b31m\u202Eevil\u200B \u0000end');
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.notRegex(screen.text(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/);
  t.regex(screen.text(), /startevil end/);
});

test('content that is off says so, keeps what was read, and comes back by its key', async (t) => {
  const node = new FakeNode();
  node.addPost(ALICE, 'read before', 1_000);
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await node.call('plugin.disable', { name: 'content' });
  await screen.clock.advance(1_000);
  t.regex(screen.text(), /content is off .*press E/);
  t.regex(screen.text(), /read before/);
  await screen.press('E');
  await screen.clock.advance(1_000);
  t.notRegex(screen.text(), /is off/);
});

test('a burst of events leads to few redraws and few readings', async (t) => {
  const node = new FakeNode();
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await screen.press('5');
  const frames = screen.frames();
  const reads = node.countOf('feed.list');
  for (let tick = 0; tick < 200; tick += 1) {
    for (let index = 0; index < 10; index += 1) {
      node.push('log', { atMs: tick, level: 'info', area: 'mesh', event: 'flood', fields: { tick, index } });
      node.push('trace', { at_ms: tick, direction: 'in', peer: ALICE, name: 'Flood', bytes: 10, outcome: 'ok' });
      node.emit('content/post-stored');
    }
    await screen.clock.advance(5);
  }
  t.true(screen.frames() - frames <= 16, `${screen.frames() - frames} redraws in a second`);
  t.true(node.countOf('feed.list') - reads <= 8, `${node.countOf('feed.list') - reads} readings`);
  await screen.clock.advance(100);
  t.is(screen.session.diagnostics.lines.state.get().traffic.framesIn, 2_000, 'all are counted');
});
