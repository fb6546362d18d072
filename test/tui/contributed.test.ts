import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { runTui } from '../../tui/index.tsx';
import { ALICE, BOB } from './fake-node.ts';
import { add, openOnHost, toPane } from './real-host.ts';

/** A plugin that knows moods, and tells when one is set. */
const MOODS = `
import { defineCommand, definePlugin, defineTopic, Type } from 'itsgoin';
const moodSet = defineTopic('moods/set');
const any = (about, params = {}) => defineCommand({ about, params: Type.Object(params), result: Type.Any() });
export default definePlugin({
  name: 'moods', version: '1.0.0', kernel: '^1', about: 'Knows moods',
  commands: { 'mood.list': any('Moods'), 'mood.cheer': any('Cheer up', { node_id: Type.String() }) },
  state: Type.Object({ moods: Type.Array(Type.Any()) }),
  setup(ctx) {
    let moods = [{ node_id: '${ALICE}', mood: 'glad' }, { node_id: '${BOB}', mood: 'tired' }];
    return {
      commands: {
        'mood.list': () => ({ moods }),
        'mood.cheer': ({ node_id }) => {
          moods = moods.map((one) => (one.node_id === node_id ? { ...one, mood: 'cheered' } : one));
          ctx.emit(moodSet, { node_id, mood: 'cheered' });
          return {};
        },
      },
      snapshot: () => ({ moods }),
      restore: (state) => void (moods = state.moods),
    };
  },
});
`;

/** Another plugin that shows them: five lines for the pane, one for the activity log. */
const moodPane = (title = 'Moods') => `
import { ACTIVITY, contribute, definePlugin, PANE } from 'itsgoin';
export default definePlugin({
  name: 'mood-pane', version: '1.0.0', kernel: '^1', about: 'Shows moods',
  setup: () => ({
    contributes: [
      contribute(PANE, {
        title: '${title}', command: 'mood.list', topics: ['moods/*'],
        columns: [{ title: 'Who', text: '{node_id|node}', width: 12 }, { title: 'Mood', text: '{mood}' }],
        actions: [{ key: 'c', label: 'cheer up', command: 'mood.cheer', params: { node_id: '{node_id}' } }],
      }),
      contribute(ACTIVITY, [{ topic: 'moods/set', tag: 'mood', lines: [{ text: '{node_id|node} is {mood} now' }] }]),
    ],
  }),
});
`;

test('five lines of an outside plugin put a pane with an action on the screen, and one a line in the activity log', async (t) => {
  const { screen } = await openOnHost(t, { moods: MOODS, 'mood-pane': moodPane() });
  await screen.press('5');
  t.regex(screen.text(), /Peers 0 {2}Moods {2}Activity/);
  await toPane(screen, 'Moods');
  t.regex(screen.text(), /Who +Mood\s*\n▌ a11ce03c +glad\s*\n +b0b0007d +tired/);
  t.regex(screen.lines().at(-1) ?? '', / c cheer up /);
  await screen.press('j', 'c');
  t.regex(screen.lines().at(-1) ?? '', /cheer up: done/);
  t.regex(screen.text(), /a11ce03c +glad\s*\n▌ b0b0007d +cheered/);
  await screen.press('enter');
  t.regex(screen.text(), new RegExp(`node id +${BOB}`));
  await screen.press('esc');
  await toPane(screen, 'Activity');
  t.regex(screen.text(), /mood +b0b0007d is cheered now/);
});

test('a contributed pane survives reloads of its plugin and of whose command it shows, and says who is off', async (t) => {
  const { rig, screen } = await openOnHost(t, { moods: MOODS });
  await screen.press('5');
  const path = await add(t, rig, 'mood-pane', moodPane());
  await screen.clock.advance(2_000);
  await toPane(screen, 'Moods');
  await screen.press('j', 'c');
  t.is((await rig.host.reload('moods')).outcome, 'committed');
  await screen.clock.advance(2_000);
  t.regex(screen.text(), /▌ b0b0007d +cheered/, 'what it shows was reloaded');
  writeFileSync(path, moodPane('Feelings'));
  t.is((await rig.host.reload('mood-pane')).outcome, 'committed');
  await screen.clock.advance(2_000);
  t.regex(screen.text(), /Feelings/);
  t.notRegex(screen.text(), /Moods/);
  await toPane(screen, 'Feelings');
  t.regex(screen.text(), /b0b0007d +cheered/);
  await rig.host.disable('moods');
  await screen.clock.advance(2_000);
  t.regex(screen.text(), /moods is off/);
  await rig.host.enable('moods');
  await rig.host.disable('mood-pane');
  await screen.clock.advance(2_000);
  t.regex(screen.text(), /mood-pane is off {2}press E to enable it/);
  await screen.press('E');
  await screen.clock.advance(2_000);
  t.regex(screen.text(), /b0b0007d +tired/);
  await rig.host.remove('mood-pane');
  await screen.clock.advance(2_000);
  t.notRegex(screen.text(), /Feelings {2}/, 'who is gone takes its pane along');
});

test('a pane that is looked at is read again after its events, and after those that make its command stale', async (t) => {
  const { rig, screen } = await openOnHost(t, { moods: MOODS, 'mood-pane': moodPane() });
  await screen.press('5');
  await toPane(screen, 'Moods');
  await rig.run('mood.cheer', { node_id: ALICE });
  await screen.clock.advance(1_500);
  t.regex(screen.text(), /a11ce03c +cheered/);
  const code = moodPane()
    .replace("topics: ['moods/*'],", '')
    .replace('ACTIVITY,', 'ACTIVITY, STALE_ANSWERS,')
    .replace(
      'contributes: [',
      "contributes: [contribute(STALE_ANSWERS, [{ topics: ['moods/set'], commands: ['mood.list'] }]),",
    );
  await rig.host.replace('mood-pane', rig.write('other/mood-pane.ts', code));
  await screen.clock.advance(1_500);
  await rig.run('mood.cheer', { node_id: BOB });
  await screen.clock.advance(1_500);
  t.regex(screen.text(), /b0b0007d +cheered/);
});

test('line mode reads a contributed pane out, and its plugin being off', async (t) => {
  const { rig, client } = await openOnHost(t, { moods: MOODS, 'mood-pane': moodPane() });
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const ended = runTui(client, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    linear: true,
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async (wanted: string): Promise<void> => {
    for (;;) {
      const { value } = await lines.next();
      if (value === wanted) return;
    }
  };
  await next('itsgoin, plain lines. Type help for the commands.');
  stdin.write('diagnostics\n');
  for (const line of ['Moods:', 'Who, Mood', 'a11ce03c, glad', 'b0b0007d, tired']) await next(line);
  await rig.host.disable('moods');
  stdin.write('diagnostics\n');
  for (const line of ['Moods:', 'moods is off']) await next(line);
  stdin.write('quit\n');
  await ended;
  t.pass();
});

const BROKEN = `
import { contribute, defineCommand, definePlugin, PANE, Type } from 'itsgoin';
const any = defineCommand({ about: 'Broken', params: Type.Object({}), result: Type.Any() });
const names = ['throws', 'hangs', 'floods', 'odd', 'cells', 'constructor'];
export default definePlugin({
  name: 'broken', version: '1.0.0', kernel: '^1', about: 'Answers badly',
  commands: Object.fromEntries(names.map((name) => ['broken.' + name, any])),
  setup: () => ({
    commands: {
      'broken.throws': () => { throw new Error('no\\u001b[2J way'); },
      'broken.hangs': () => new Promise(() => {}),
      'broken.floods': () => ({ rows: Array.from({ length: 1_000_000 }, (_, index) => ({ name: 'row ' + index })) }),
      'broken.odd': () => ({ rows: 7 }),
      'broken.constructor': () => ({ rows: [{ name: 'as any other' }] }),
      'broken.cells': () => ({ rows: [null, 7, { name: { deep: [] } }, { name: 'x'.repeat(100_000) }, { name: '\\u202e\\u001b]0;t\\u0007ok' }] }),
    },
    contributes: names.map((name) =>
      contribute(PANE, { title: name, command: 'broken.' + name, rows: 'rows', columns: [{ title: 'Name', text: '{name}' }] }, { name: 'broken/' + name }),
    ),
  }),
});
`;

test('a pane whose command throws, never answers, returns a million rows or rows of another shape hurts no screen', async (t) => {
  const { screen } = await openOnHost(t, { broken: BROKEN });
  await screen.press('5');
  await toPane(screen, 'throws');
  t.regex(screen.text(), /broken\.throws: broken\.throws failed inside the node: no\s+way/);
  await toPane(screen, 'odd');
  t.regex(screen.text(), /broken\.odd answered without a list at rows/);
  await toPane(screen, 'floods');
  t.regex(screen.text(), /row 0\s*\n +row 1/);
  await screen.press('G');
  t.regex(screen.text(), /row 499\s*\n.*and 999500 more/);
  t.true(screen.lines().length <= 23);
  await toPane(screen, 'cells');
  t.regex(screen.text(), /Name\s*\n▌ –\s*\n +–\s*\n +–\s*\n +x{60,120}…?\s*\n +ok/);
  await toPane(screen, 'constructor');
  t.regex(screen.text(), /Name\s*\n▌ as any other/);
  await toPane(screen, 'hangs');
  t.regex(screen.text(), /reading …/);
  await screen.clock.advance(6_000);
  t.regex(screen.text(), /broken\.hangs: the node did not answer in time/);
  await screen.press('1');
  t.regex(screen.text(), /How's it goin/);
});

const withPane = (pane: string) => `
import { contribute, definePlugin, PANE } from 'itsgoin';
const circle = {}; circle.self = circle;
export default definePlugin({
  name: 'odd', version: '1.0.0', kernel: '^1', about: 'Odd',
  setup: () => ({ contributes: [contribute(PANE, ${pane})] }),
});
`;

for (const [what, pane, reason] of [
  [
    'more text than a contribution may have',
    "{ title: 'A', command: 'a.b', groups: Array(12).fill({ lines: Array(12).fill({ text: 'x'.repeat(300) }) }) }",
    /longer than 8192/,
  ],
  [
    'ten thousand columns',
    "{ title: 'A', command: 'a.b', columns: Array(10_000).fill({ title: 'x', text: 'y' }) }",
    /columns/,
  ],
  ['control characters', "{ title: 'A\\u001b[2J', command: 'a.b', columns: [{ title: 'x', text: 'y' }] }", /title/],
  ['a circle', "{ title: 'A', command: 'a.b', params: { a: circle }, columns: [{ title: 'x', text: 'y' }] }", /params/],
  [
    'a path to the prototype of everything',
    "{ title: 'A', command: 'a.b', rows: 'a..b', columns: [{ title: 'x', text: 'y' }] }",
    /rows/,
  ],
  [
    'an unknown format',
    "{ title: 'A', command: 'a.b', columns: [{ title: 'x', text: '{y|nod}' }] }",
    /"\{y\|nod\}" is no field/,
  ],
  ['a field nobody knows', "{ title: 'A', command: 'a.b', colums: [] }", /colums/],
  ['neither columns nor groups', "{ title: 'A', command: 'a.b' }", /either "columns" or "groups"/],
  [
    "a title of the screen's own",
    "{ title: 'Log', command: 'a.b', columns: [{ title: 'x', text: 'y' }] }",
    /a pane Log/,
  ],
  [
    'a key of the screen',
    "{ title: 'A', command: 'a.b', columns: [{ title: 'x', text: 'y' }], actions: [{ key: 'q', label: 'x', command: 'a.b' }] }",
    /key/,
  ],
] as const) {
  test(`a pane with ${what} refuses its plugin by name`, async (t) => {
    const { rig } = await openOnHost(t, {});
    const outcome = await rig.host.add(rig.write('odd.ts', withPane(pane)));
    t.is(outcome.outcome, 'refused');
    t.regex(outcome.reason ?? '', reason);
  });
}

test('no plugin takes over a point of the kernel', async (t) => {
  const { rig } = await openOnHost(t, {});
  const code = `
import { definePlugin, definePoint } from 'itsgoin';
export default definePlugin({ name: 'thief', version: '1.0.0', kernel: '^1', about: 'x', points: [definePoint('ui/pane')], setup: () => ({}) });
`;
  const { outcome, reason } = await rig.host.add(rig.write('thief.ts', code));
  t.is(outcome, 'refused');
  t.regex(reason ?? '', /the point "ui\/pane" already belongs to kernel/);
});
