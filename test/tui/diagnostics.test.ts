import test from 'ava';
import { controlErrors } from '../../kernel/control/errors.ts';
import { LINES_MAX } from '../../tui/store/live-lines.ts';
import { columnsOf } from '../../tui/wrap.ts';
import { ALICE, BOB, CAROL, DAVE, FakeNode } from './fake-node.ts';
import { openScreen } from './screen.ts';

const peerOf = (nodeId: string) => ({ nodeId, deviceId: 'd'.repeat(64) });
const slotChanged = (nodeId: string) => ({
  peer: peerOf(nodeId),
  connectionId: 1,
  slot: 'preferred',
  reason: 'agreed',
});

/** The screen at a pane of Diagnostics. */
async function openPane(pane: 'Peers' | 'Growth' | 'Activity' | 'Plugins', node = new FakeNode()) {
  const screen = await openScreen(node);
  await screen.press(
    '5',
    ...Array.from({ length: ['Peers', 'Growth', 'Activity', 'Plugins'].indexOf(pane) }, () => 'l'),
  );
  return screen;
}

function fail(code: string, message: string, hint?: string): never {
  throw Object.assign(new Error(message), { code, hint });
}

test('UI-19: the summary shows the figures of status, mesh slots, growth explain and worm explain', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  t.regex(screen.text(), /mesh 1\/101 +preferred 1\/10 +sessions 1 +keep-alives 0/);
  t.regex(screen.text(), /N1 1 +N2 23 +N3 4,120 +ephemeral 0/);
  t.regex(screen.text(), /up 2h 5m +port 41234 +memory 84 MB +posts 0/);
  t.regex(screen.text(), /searches 1 running {2,}growth trying 1 now/);
  t.regex(screen.text(), /links 1 preferred · 0 other mesh · 0 keep-alive · 1 session · 0 ephemeral/);
});

test('UI-18: peer cards have a name, a short id, the badge of peer reach, kind, address and times', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  t.regex(
    screen.text(),
    /Alice +a11ce03c {2}Mesh {2}mesh, preferred slot\n.*→ 192\.168\.1\.7:41234 {2}open 10m ago {2}active/,
  );
  t.regex(screen.text(), /no name +b0b0007d {2}N1 {4}session\n/);
  t.regex(screen.text(), /Carol +ca401e91 {2}N2 {4}not connected\n.*you follow it; last online 3h ago/);
  await screen.press('j', 'j', 'enter');
  t.regex(screen.text(), new RegExp(`node id +${CAROL}`));
  t.regex(screen.text(), /reach +N2 {2}1 peer has it in N1, 0 in N2/);
  t.regex(screen.text(), /mesh says +seen before\n.*addresses +192\.0\.2\.9:4433/);
});

test('a list of ten thousand peers draws what is shown', async (t) => {
  const node = new FakeNode();
  const [first] = node.peers;
  node.peers = Array.from({ length: 10_000 }, (_, index) => ({
    ...first,
    node_id: (index + 0x10_0000).toString(16).padStart(64, '0'),
    display_name: `Peer ${index}`,
  }));
  const screen = await openPane('Peers', node);
  t.teardown(() => screen.close());
  await screen.press('G');
  t.true(screen.lines().length <= 23);
  t.regex(screen.text(), /Peer 9999[\s\S]*▌.*Carol/);
  t.notRegex(screen.text(), /Peer 99[0-8]/);
});

test('the cursor stays on its peer when others come and go', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  await screen.press('j');
  screen.node.peers.shift();
  screen.node.emit('peers/gone');
  await screen.clock.advance(2_000);
  t.notRegex(screen.text(), /a11ce03c {2}Mesh/);
  t.regex(screen.text(), /▌.*b0b0007d/);
});

test('growth shows what is tried, what became of the last attempts and why, searches and anchors', async (t) => {
  const screen = await openPane('Growth');
  t.teardown(() => screen.close());
  await screen.resize(100, 40);
  t.regex(screen.text(), /now +trying 1 now/);
  t.regex(screen.text(), /1 of 101 slots, grows at once below 91; 1 failed and 0 refused/);
  t.regex(screen.text(), /trying +Carol; candidate, score 1\.30/);
  t.regex(screen.text(), /tried +da7e005b not reached: resolve\/unreachable; candidate, 812 ms/);
  t.regex(screen.text(), /next +Carol; score 1\.30, named by 1/);
  t.regex(screen.text(), /Searches\n.*running +post abababab\n.*ended +da7e005b not found; 3000 ms, 12 messages/);
  t.regex(screen.text(), /Anchors asked\n.*bootstrap +anchor Alice connected/);
  await screen.press('j', 'j', 'j', 'enter');
  t.regex(screen.text(), new RegExp(`node id +${DAVE}`));
});

test('UI-16: the cursor stops at each node of the activity log, and enter opens it', async (t) => {
  const screen = await openPane('Activity');
  t.teardown(() => screen.close());
  t.regex(screen.text(), /Nothing happened yet/);
  screen.node.emit('keep-alive/session-kept', { target: CAROL, host: BOB });
  screen.node.emit('mesh/slot-changed', slotChanged(ALICE));
  await screen.clock.advance(200);
  t.regex(
    screen.text(),
    /slot +Alice has a preferred slot: agreed\n.*session +keeps Carol findable by a session to b0b0007d/,
  );
  for (const nodeId of [ALICE, CAROL, BOB]) {
    await screen.press('enter');
    t.regex(screen.text(), new RegExp(`node id +${nodeId}`));
    await screen.press('esc', 'j');
  }
});

test('the cursor stays with its line while others come above it, and p holds them all still', async (t) => {
  const screen = await openPane('Activity');
  t.teardown(() => screen.close());
  screen.node.emit('mesh/slot-changed', slotChanged(ALICE));
  screen.node.emit('mesh/slot-changed', slotChanged(BOB));
  await screen.clock.advance(200);
  await screen.press('j');
  for (const target of [CAROL, DAVE]) screen.node.emit('keep-alive/session-kept', { target, host: BOB });
  await screen.clock.advance(200);
  t.regex(screen.text(), /▌.*Alice has a preferred slot/);
  await screen.press('p');
  screen.node.emit('mesh/emptied');
  await screen.clock.advance(200);
  t.notRegex(screen.text(), /the last mesh peer is gone/);
  await screen.press('p');
  screen.node.emit('mesh/slot-changed', slotChanged(BOB));
  await screen.clock.advance(200);
  t.regex(screen.text(), /the last mesh peer is gone/);
});

test('every kind of event is told in words, and what is malformed or unknown harms nothing', async (t) => {
  const screen = await openPane('Activity');
  t.teardown(() => screen.close());
  await screen.resize(120, 40);
  const at = { peer: peerOf(ALICE), remoteAddr: '192.0.2.1:4433' };
  const search = { kind: 'node', id: DAVE };
  const told: [topic: string, event: unknown, line: RegExp][] = [
    ['connection/opened', { ...at, direction: 'inbound' }, /connected by Alice at 192\.0\.2\.1:4433/],
    ['connection/closed', { ...at, reason: 'done', byPeer: true }, /disconnected Alice: done, by it/],
    [
      'mesh/growth-tried',
      { nodeId: DAVE, why: 'redirect', outcome: 'refused', reason: '', tookMs: 7 },
      /da7e005b has no slot for us; redirect, 7 ms/,
    ],
    [
      'mesh/rebalanced',
      { cause: 'timer', steps: [`reconnect ${DAVE}`, 'signal-growth'] },
      /rebalance by timer: reconnect da7e005b, signal-growth/,
    ],
    [
      'anchors/rejoin-ended',
      { cause: 'user', tookMs: 9, anchor: ALICE, connected: 2 },
      /Alice answered \(user\), 2 referrals connected in 9 ms/,
    ],
    [
      'worm-search/searched',
      { target: search, found: true, holder: DAVE, tookMs: 5, cost: { messages: 3 } },
      /da7e005b found; 5 ms, 3 messages/,
    ],
    ['content/sync-finished', { peer: ALICE, stored: 4, refused: 0 }, /synced with Alice: 4 new, 0 refused/],
    ['presence/route-changed', { nodeId: CAROL, online: true, reachMethod: 'direct' }, /Carol is online, direct/],
    ['plugin/changed', { name: 'mesh', outcome: 'committed' }, /mesh committed/],
  ];
  for (const [topic, event] of told) screen.node.emit(topic, event);
  for (const [topic] of told) screen.node.emit(topic, topic === 'mesh/rebalanced' ? { steps: 7 } : 'nonsense');
  screen.node.emit('routing/lists-taken', { reporter: ALICE, isNews: true });
  await screen.clock.advance(200);
  for (const [, , line] of told) t.regex(screen.text(), line);
});

test('the activity log keeps a bounded number of lines', async (t) => {
  const screen = await openPane('Activity');
  t.teardown(() => screen.close());
  for (let batch = 0; batch < 2; batch += 1) {
    for (let index = 0; index < LINES_MAX - 50; index += 1) screen.node.emit('mesh/emptied');
    await screen.clock.advance(200);
  }
  t.is(screen.session.diagnostics.lines.state.get().activity.length, LINES_MAX);
});

test('UI-17: a asks the anchors, shows that it does, and tells the outcome', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  const answer = Promise.withResolvers<unknown>();
  screen.node.answers.set('anchor.request', () => answer.promise);
  await screen.press('a');
  t.regex(screen.text(), /Log {2}asking anchors …/);
  t.regex(screen.lines().at(-1) ?? '', /Asking anchors …/);
  await screen.press('a');
  t.is(screen.node.countOf('anchor.request'), 1);
  t.regex(screen.lines().at(-1) ?? '', /Still asking anchors …/);
  answer.resolve({ reached: 2 });
  await screen.clock.advance(200);
  t.notRegex(screen.text(), /Log {2}asking/);
  t.regex(screen.lines().at(-1) ?? '', /Anchors answered: 2 nodes reached/);
  screen.node.answers.set('anchor.request', () => ({ reached: 0 }));
  await screen.press('a');
  t.regex(screen.lines().at(-1) ?? '', /No anchor answered/);
});

test('asking anchors that takes too long is told to go on, and can be asked again', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  screen.node.answers.set('anchor.request', () => fail('control/cancelled', 'The call was given up.'));
  await screen.press('a');
  t.regex(screen.lines().at(-1) ?? '', /The node goes on asking anchors; Activity will tell/);
  await screen.press('a');
  t.is(screen.node.countOf('anchor.request'), 2);
});

test('events are read for the tab that is looked at only, and lists of peers not at all', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  const readings = () => screen.node.countOf('growth.explain');
  const before = readings();
  screen.node.emit('mesh/slot-changed', slotChanged(ALICE));
  await screen.clock.advance(2_000);
  t.is(readings(), before);
  await screen.press('5');
  const opened = readings();
  for (let index = 0; index < 50; index += 1)
    screen.node.emit('routing/lists-taken', { reporter: ALICE, isNews: true });
  await screen.clock.advance(2_000);
  t.is(readings(), opened);
  for (let index = 0; index < 50; index += 1) screen.node.emit('mesh/slot-changed', slotChanged(ALICE));
  await screen.clock.advance(2_000);
  t.is(readings(), opened + 1);
});

test('an action of a plugin that is off says so, and E enables it', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  await screen.node.call('plugin.disable', { name: 'anchors' });
  await screen.clock.advance(1_000);
  t.regex(screen.text(), /anchors is off {2}press E to enable it/);
  await screen.press('a');
  t.regex(screen.lines().at(-1) ?? '', /anchors is off: it is needed to ask anchors for peers {2}E enables it/);
  await screen.press('E');
  t.regex(screen.lines().at(-1) ?? '', /anchors is on again/);
  await screen.press('a');
  t.is(screen.node.countOf('anchor.request'), 2);
});

test('asking anchors while mesh is off names mesh, not the anchors', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  await screen.node.call('plugin.disable', { name: 'mesh' });
  await screen.clock.advance(1_000);
  screen.node.answers.set('anchor.request', () => fail('lifecycle/service-off', 'The service "mesh" is off.'));
  await screen.press('a');
  t.regex(screen.lines().at(-1) ?? '', /mesh is off: it is needed to ask anchors for peers {2}E enables it/);
});

test('Diagnostics survives mesh, anchors and worm-search being off, together and one by one', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  for (const name of ['mesh', 'anchors', 'worm-search', 'routing']) await screen.node.call('plugin.disable', { name });
  await screen.clock.advance(6_000);
  t.regex(screen.text(), /mesh off +preferred off +sessions off +keep-alives off/);
  t.regex(screen.text(), /N1 off +N2 off +N3 off/);
  t.regex(screen.text(), /searches off +growth off/);
  t.regex(screen.text(), /mesh is off/);
  await screen.press('B');
  t.regex(screen.lines().at(-1) ?? '', /mesh is off: it is needed to rebalance {2}E enables it/);
  await screen.press('l');
  t.regex(screen.text(), /Growth\n.*mesh is off\n.*Searches\n.*worm-search is off\n.*Anchors asked\n.*anchors is off/);
  for (const name of ['mesh', 'anchors', 'worm-search', 'routing']) await screen.node.call('plugin.enable', { name });
  await screen.clock.advance(6_000);
  t.regex(screen.text(), /mesh 1\/101[\s\S]*N3 4,120[\s\S]*searches 1 running/);
});

test('rebalancing tells what was done', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  await screen.press('B');
  t.regex(screen.lines().at(-1) ?? '', /Rebalanced: 1 closed, lets it grow/);
});

test('a long notice takes more lines instead of being cut at 80 columns, and none of them too many', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  screen.node.answers.set('anchor.request', () =>
    fail(
      'anchors/no-anchors',
      'No anchor is known.',
      'Name one in anchors.json, or connect to a node with `itsgoin peer connect <connect string>`.',
    ),
  );
  await screen.press('a');
  const [notice = '', hint = '', more = ''] = screen.lines().slice(-3);
  t.regex(notice, /^ anchors\/no-anchors: No anchor is known\.$/);
  t.is(
    `${hint.trim()} ${more.trim()}`,
    'Name one in anchors.json, or connect to a node with `itsgoin peer connect <connect string>`.',
  );
  screen.node.answers.set('anchor.request', () => fail('anchors/odd', 'words '.repeat(200), 'a hint '.repeat(200)));
  await screen.press('a');
  t.is(screen.lines().length, 23);
  t.true(screen.lines().every((line) => columnsOf(line) <= 80));
  t.regex(screen.lines().at(-3) ?? '', /…$/);
  t.regex(screen.lines().at(-1) ?? '', /…$/);
});

test('help begins with the keys of the tab it was asked for in', async (t) => {
  const screen = await openPane('Peers');
  t.teardown(() => screen.close());
  t.regex(screen.lines().at(-1) ?? '', /\? help.*q quit/);
  await screen.press('?');
  t.regex(screen.text(), /Diagnostics\n.*l, right[\s\S]*a +Ask the anchors[\s\S]*B +Clean up the mesh/);
});

test('plugins are enabled, disabled, reloaded and inspected by their keys', async (t) => {
  const screen = await openPane('Plugins');
  t.teardown(() => screen.close());
  await screen.press('d');
  t.regex(screen.text(), /Disable content\?/);
  await screen.press('n');
  t.is(screen.node.countOf('plugin.disable'), 0);
  await screen.press('d', 'y');
  t.regex(screen.text(), /○ content +off/);
  await screen.press('e');
  t.regex(screen.text(), /● content +active/);
  await screen.press('R');
  t.regex(screen.lines().at(-1) ?? '', /content: reload done in 12 ms/);
  await screen.press('enter');
  t.regex(screen.text(), /counters\n +stored {2}3/);
});

test('refreshing diagnostics shows that it reads, then a notice (UI-20)', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  await screen.press('5');
  const answer = Promise.withResolvers<unknown>();
  screen.node.answers.set('plugin.list', () => answer.promise);
  await screen.press('r');
  t.regex(screen.text(), /reading …/);
  answer.resolve({ plugins: [] });
  await screen.clock.advance(200);
  t.notRegex(screen.text(), /reading …/);
  t.regex(screen.lines().at(-1) ?? '', /Diagnostics refreshed/);
});

test('a refused reload is told with its reason', async (t) => {
  const screen = await openScreen();
  t.teardown(() => screen.close());
  screen.node.answers.set('plugin.reload', () => {
    throw controlErrors.make('not-swapped', { name: 'content', outcome: 'refused', reason: 'setup threw: no' });
  });
  await screen.press('5', 'l', 'l', 'l', 'R');
  t.regex(screen.text(), /content was refused: setup threw: no/);
});
