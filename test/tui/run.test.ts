import { PassThrough, Writable } from 'node:stream';
import test from 'ava';
import { runTui } from '../../tui/index.tsx';
import { ALICE, BOB, FakeNode, SELF } from './fake-node.ts';

/** A terminal's two ends, as far as a full-screen program can tell. */
function terminal() {
  const written: string[] = [];
  const modes: boolean[] = [];
  const stdout = Object.assign(
    new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        written.push(String(chunk));
        done();
      },
    }),
    { isTTY: true, columns: 80, rows: 24 },
  );
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => modes.push(on),
    ref: () => {},
    unref: () => {},
  });
  return {
    written,
    modes,
    stdin,
    options: { stdout: stdout as unknown as NodeJS.WriteStream, stdin: stdin as unknown as NodeJS.ReadStream },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('It did not come about within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('quitting restores alternate screen, cursor, wrapping and raw mode, then calls onQuit', async (t) => {
  const { written, modes, stdin, options } = terminal();
  const order: string[] = [];
  const run = runTui(new FakeNode(), { ...options, onQuit: () => void order.push(`quit after ${written.length > 0}`) });
  await until(() => written.join('').includes("How's it goin?"));
  stdin.write('q');
  await run;
  const all = written.join('');
  for (const [on, off] of [
    ['\u001b[?1049h', '\u001b[?1049l'],
    ['\u001b[?25l', '\u001b[?25h'],
    ['\u001b[?7l', '\u001b[?7h'],
  ] as const) {
    t.true(all.includes(on), JSON.stringify(on));
    t.true(all.lastIndexOf(off) > all.lastIndexOf(on), JSON.stringify(off));
  }
  t.deepEqual([modes.at(0), modes.at(-1)], [true, false]);
  t.deepEqual(order, ['quit after true']);
});

for (const [pane, keys] of [
  ['Traffic', 'hh'],
  ['Activity', 'll'],
] as const)
  test(`a flood of events draws ${pane} at most 15 times a second`, async (t) => {
    const { written, stdin, options } = terminal();
    const node = new FakeNode();
    const run = runTui(node, options);
    // The name comes after what plugins contribute, so that all panes are there.
    await until(() => written.join('').includes('Dana'));
    stdin.write('5');
    stdin.write(keys);
    await until(() => node.listeners('trace') > 0);
    const before = written.length;
    const startedMs = performance.now();
    let sent = 0;
    while (performance.now() - startedMs < 2_000) {
      for (let index = 0; index < 20; index += 1) {
        node.push('log', { atMs: sent, level: 'info', area: 'mesh', event: 'flood', fields: { sent: sent++ } });
        node.emit('keep-alive/session-released', { target: BOB, host: ALICE, reason: `${sent}` });
        node.push('trace', { at_ms: sent, direction: 'in', peer: ALICE, name: 'Flood', bytes: sent, outcome: 'ok' });
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    // Each redraw is bracketed by the two sequences of a synchronized update.
    const drawn = written.slice(before).filter((chunk) => chunk.includes('\u001b[?2026h')).length;
    t.true(drawn >= 2, `${drawn} redraws show that something was drawn`);
    t.true(drawn <= 15 * seconds + 1, `${drawn} redraws in ${seconds.toFixed(1)} s after ${sent} events`);
    stdin.write('q');
    await run;
  });

test('what is no terminal is refused with a hint', async (t) => {
  const { options } = terminal();
  const error = await t.throwsAsync(
    runTui(new FakeNode(), { ...options, stdin: new PassThrough() as unknown as NodeJS.ReadStream }),
  );
  t.like(error, { code: 'tui/no-terminal' });
});

test('the linear mode tells posts as plain lines and takes commands by line', async (t) => {
  const node = new FakeNode();
  node.addPost(ALICE, 'first\u001b[2J light', 60_000);
  const { written, options } = terminal();
  const stdin = new PassThrough();
  const run = runTui(node, { ...options, stdin: stdin as unknown as NodeJS.ReadStream, linear: true });
  const said = () => written.join('');
  await until(() => said().includes('public: first light'));
  stdin.write('say hello by line\n');
  await until(() => said().includes('Dana, ') && said().includes('public: hello by line'));
  t.is(node.posts.find(({ author }) => author === SELF)?.text, 'hello by line');
  stdin.write('people\n');
  await until(() => said().includes('Alice, online'));
  node.emit('mesh/emptied');
  stdin.write('diagnostics\n');
  await until(() => said().includes('Anchors asked:'));
  t.regex(said(), /mesh: 1\/101\n[\s\S]*N2: 23\n[\s\S]*Alice, a11ce03c, Mesh, mesh, 192\.168\.1\.7:41234\n/);
  await until(() => {
    stdin.write('activity\n');
    return said().includes('slot: the last mesh peer is gone');
  });
  stdin.write('post delete 0\n');
  await until(() => said().includes('cli/unconfirmed'));
  stdin.write('nonsense\n');
  await until(() => said().includes('cli/usage'));
  stdin.write('quit\n');
  await run;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.notRegex(said(), /\u001b/);
});
