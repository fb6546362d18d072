import test from 'ava';
import { BOB, CAROL, FakeNode } from './fake-node.ts';
import { openScreen } from './screen.ts';

test('follows are split into online and offline with when they were last online, bios under names (UI-02, UI-23)', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('3');
  t.regex(screen.text(), /Online {2}1\n.*Alice .*● online {2}mesh[\s\S]*Gardens, bread and small computers/);
  t.regex(screen.text(), /Offline {2}1\n.*Carol .*○ last online 3h ago/);
  t.regex(screen.text(), /Connected, not followed {2}1\n.*b0b0007d {2}● online {2}session/);
});

test('a peer that leaves is offline at the next refreshing, at most 10 s later without any event (CYC-15)', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('3');
  screen.node.peers = screen.node.peers.slice(1);
  await screen.clock.advance(10_500);
  t.regex(screen.text(), /Offline {2}2/);
});

test('connecting takes a connect string, following by key works, and unfollowing can be undone', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('3', 'c');
  await screen.type(`${'12'.repeat(32)}@127.0.0.1:4433`);
  await screen.press('enter');
  t.deepEqual(screen.node.calls.findLast(({ method }) => method === 'peer.connect')?.params, {
    target: `${'12'.repeat(32)}@127.0.0.1:4433`,
  });
  await screen.press('g', 'f');
  t.is(screen.node.follows.length, 1);
  t.regex(screen.lines().at(-1) ?? '', /You no longer follow Alice {2}u undoes it/);
  await screen.press('u');
  t.is(screen.node.follows.length, 2);
});

test('mesh off leaves the follows on the screen', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('3');
  await screen.node.call('plugin.disable', { name: 'mesh' });
  await screen.clock.advance(1_000);
  t.regex(screen.text(), /mesh is off/);
  t.regex(screen.text(), /Alice/);
  t.regex(screen.text(), /Carol/);
});

test('a person opens with all that is known', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('3', 'j', 'enter');
  t.regex(screen.text(), new RegExp(`node id +${CAROL}`));
  await screen.press('esc', 'j', 'enter');
  t.regex(screen.text(), new RegExp(`node id +${BOB}`));
  t.regex(screen.text(), /link +session to 192\.168\.1\.7:41234/);
});

test('settings edits the profile and a config key', async (t) => {
  const node = new FakeNode();
  const screen = await openScreen(node);
  t.teardown(() => screen.close());
  await screen.press('4');
  t.regex(screen.text(), /connect +5e1fabab/);
  await screen.press('enter');
  await screen.type('!');
  await screen.press('enter');
  t.is(node.profile.name, 'Dana!');
  await screen.press('G', 'enter', 'backspace', 'backspace');
  await screen.type('7');
  await screen.press('enter');
  t.deepEqual(node.calls.findLast(({ method }) => method === 'config.set')?.params, {
    key: 'content.keepDays',
    value: '7',
  });
  t.regex(screen.lines().at(-1) ?? '', /takes effect at the next start/);
});

test('settings has the rebalance (UI-24), on its row and by its key', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('4', 'j', 'j', 'j', 'j', 'j', 'enter');
  t.is(screen.node.countOf('rebalance.now'), 1);
  t.regex(screen.lines().at(-1) ?? '', /Rebalanced: 1 closed, lets it grow/);
  await screen.press('B');
  t.is(screen.node.countOf('rebalance.now'), 2);
  await screen.node.call('plugin.disable', { name: 'mesh' });
  await screen.press('B', 'E');
  t.regex(screen.lines().at(-1) ?? '', /mesh is on again/);
});
