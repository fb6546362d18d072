import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { type Finished, itsgoin, spawnItsgoin, startDaemon } from '../cli/itsgoin.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

interface Identity {
  readonly node_id: string;
  readonly device_id: string;
  readonly connect: string[];
}

/** One line that names the mistake, at most one with a hint, and no stack. */
function isOneLineWithHint({ err }: Finished): boolean {
  const [message = '', hint = '', ...more] = err.trimEnd().split('\n');
  return /^itsgoin: .*\[[a-z]+\/[a-z-]+\]$/.test(message) && hint.startsWith('  ') && more.length === 0;
}

test('two nodes driven by the command line: connect, follow, post, read, kill, restart', async (t) => {
  const a = await startDaemon(t);
  const b = await startDaemon(t);
  const who: Identity = await b.json('identity', 'show');
  t.regex(who.connect[0] ?? '', new RegExp(`^${who.node_id}@127\\.0\\.0\\.1:\\d+$`));
  await a.json('peer', 'connect', who.connect[0] ?? '');
  await a.json('follow', 'add', who.node_id);
  const posted: { id: string } = await b.json('post', 'create', 'first words');
  const client = await connectControl(a.dataDir);
  t.teardown(() => client.close());
  const deadline = performance.now() + 1_000;
  let posts: { id: string; author: string; text: string; visibility: string }[] = [];
  while (posts.length === 0 && performance.now() < deadline) {
    posts = (await client.call<{ posts: typeof posts }>('feed.list')).posts;
  }
  t.like(posts, [{ id: posted.id, author: who.node_id, text: 'first words', visibility: 'public' }]);
  t.like(await a.json('peer', 'list'), { peers: [{ node_id: who.node_id, device_id: who.device_id }] });
  t.like(await a.json('status'), { peers: 1, posts: 1 });

  t.is(await b.end('SIGKILL'), 'SIGKILL');
  const again = await startDaemon(t, b.dataDir);
  t.like(await again.json('identity', 'show'), { node_id: who.node_id, device_id: who.device_id });
  t.like(await again.json('post', 'show', posted.id), { id: posted.id, text: 'first words' });
});

test('wrong use exits with 2, failure with 1, both with one line and a hint', async (t) => {
  const node = await startDaemon(t);
  const cases: [args: string[], code: number][] = [
    [['post', 'create'], 2],
    [['post', 'creat', 'x'], 2],
    [['nothing'], 2],
    [['feed', 'list', '--limit', 'x'], 2],
    [['feed', 'list', '--limit', '-1'], 2],
    [['plugin', 'new', 'Bad Name'], 2],
    [['plugin', 'inspect', 'nothing'], 1],
    [['plugin', 'add', '/nowhere.ts'], 1],
    [['config', 'set', 'content.nothing', '1'], 1],
    [['config', 'set', 'nothing.at.all', '1'], 1],
    [['peer', 'connect', 'nonsense'], 1],
    [['why', 'weather'], 2],
    [['identity', 'export', 'somewhere'], 2],
  ];
  for (const [args, code] of cases) {
    const result = await node.run(...args);
    t.is(result.code, code, `${args.join(' ')}: ${result.err}`);
    t.is(result.out, '');
    t.true(isOneLineWithHint(result), result.err);
  }
  const json = await node.run('plugin', 'inspect', 'nothing', '--json');
  t.like(JSON.parse(json.err), { code: 'lifecycle/unknown-plugin' });
  t.deepEqual(Object.keys(JSON.parse(json.err)), ['code', 'message', 'hint']);
  t.is((await node.run('status')).code, 0);
});

test('without a node a command says so, and help works all the same', async (t) => {
  const dataDir = temporaryDirectory(t);
  const status = await itsgoin(['status', '--data', dataDir]);
  t.is(status.code, 1);
  t.regex(status.err, /No node runs on .*\[control\/not-running\]\n {2}Start one/);
  t.is((await itsgoin(['stauts', '--data', dataDir])).code, 2);
  const help = await itsgoin(['help', '--data', dataDir]);
  t.is(help.code, 0);
  t.regex(help.out, /plugin +add, disable/);
  t.regex((await itsgoin(['post', 'create', '--help', '--data', dataDir])).out, /Usage: itsgoin post create/);
  t.is((await itsgoin(['--version'])).out, '0.1.0\n');
  t.deepEqual(readdirSync(dataDir), []);
});

test('a daemon survives SIGHUP, refuses a second one, and SIGTERM leaves no WAL', async (t) => {
  const node = await startDaemon(t);
  node.process.kill('SIGHUP');
  t.is((await node.run('status')).code, 0);
  const second = await itsgoin(['--daemon', '--data', node.dataDir]);
  t.is(second.code, 1);
  t.regex(second.err, /\[store\/locked\]/);
  t.true(isOneLineWithHint(second), second.err);
  const startedAt = performance.now();
  t.is(await node.end('SIGTERM'), 0);
  t.true(performance.now() - startedAt < 5_000);
  t.deepEqual(
    readdirSync(node.dataDir).filter((name) => /wal|shm|sock|pid/.test(name)),
    [],
  );
});

test('shutdown returns once the directory is free for the next node', async (t) => {
  const node = await startDaemon(t);
  t.is((await node.run('shutdown')).code, 0);
  const next = await startDaemon(t, node.dataDir);
  t.is((await next.run('shutdown')).code, 0);
});

test('reset keeps the identity and the settings and deletes everything else', async (t) => {
  const node = await startDaemon(t);
  const who: Identity = await node.json('identity', 'show');
  await node.json('post', 'create', 'to be forgotten');
  await node.json('config', 'set', 'content.feedPage', '20');
  const running = await node.run('reset', '--yes');
  t.is(running.code, 1);
  t.regex(running.err, /\[store\/locked\]/);
  await node.run('shutdown');
  const asked = await node.run('reset');
  t.is(asked.code, 2);
  t.true(isOneLineWithHint(asked), asked.err);
  t.is((await node.run('reset', '--yes')).code, 0);
  const after = await startDaemon(t, node.dataDir);
  t.like(await after.json('identity', 'show'), { node_id: who.node_id, device_id: who.device_id });
  t.like(await after.json('status'), { posts: 0 });
  t.deepEqual(await after.json('config', 'get', 'content.feedPage'), { key: 'content.feedPage', value: 20 });
});

test('an identity moves to another directory by export and import', async (t) => {
  const node = await startDaemon(t);
  const who: Identity = await node.json('identity', 'show');
  const dir = temporaryDirectory(t);
  const file = join(dir, 'me.itsgoin');
  writeFileSync(join(dir, 'secret'), 'correct horse\n');
  const secret = ['--passphrase-file', join(dir, 'secret')];
  t.is((await node.run('identity', 'export', file, ...secret)).code, 0);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.is((await node.run('identity', 'export', file, ...secret)).code, 1);
  const other = ['--data', join(dir, 'other')];
  const wrong = await itsgoin(['identity', 'import', file, ...other], '', { ITSGOIN_PASSPHRASE: 'wrong horse' });
  t.is(wrong.code, 1);
  t.regex(wrong.err, /\[identity\/wrong-passphrase\]/);
  t.is((await itsgoin(['identity', 'import', file, ...secret, ...other])).code, 0);
  const moved = await startDaemon(t, join(dir, 'other'));
  const now: Identity = await moved.json('identity', 'show');
  t.is(now.node_id, who.node_id);
  t.not(now.device_id, who.device_id);
});

test('a new plugin is written, loaded, tested, reached by its peers, and swapped by its settings', async (t) => {
  const a = await startDaemon(t);
  const b = await startDaemon(t);
  for (const node of [a, b]) {
    const watched = await connectControl(node.dataDir);
    const active = Promise.withResolvers<void>();
    await watched.subscribe('events', { topic: 'plugin/changed' }, ({ event }: { event: { name: string } }) => {
      if (event.name === 'hello') active.resolve();
    });
    t.is((await node.run('plugin', 'new', 'hello')).code, 0);
    await active.promise;
    watched.close();
  }
  const again = await a.run('plugin', 'new', 'hello');
  t.regex(again.err, /\[control\/file-exists\]/);
  const who: Identity = await b.json('identity', 'show');
  await a.json('peer', 'connect', who.connect[0] ?? '');
  t.deepEqual(await a.json('hello', 'ping', who.node_id), { text: 'hello, you there' });
  await b.json('config', 'set', 'hello.greeting', 'Howdy');
  t.deepEqual(await a.json('hello', 'ping', who.node_id), { text: 'Howdy, you there' });

  const { spawn } = await import('node:child_process');
  for (const single of [false, true]) {
    if (single) t.is((await a.run('plugin', 'new', 'lone', '--single')).code, 0);
    const folder = join(a.dataDir, 'plugins', single ? '' : 'hello');
    const file = single ? 'lone.test.ts' : 'plugin.test.ts';
    // The runner would take part in the run of the tests around it.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const [code] = await once(spawn(process.execPath, ['--test', file], { cwd: folder, env, stdio: 'ignore' }), 'exit');
    t.is(code, 0);
  }
});

test('settings that stop a node or a plugin are shown and mended by the command line', async (t) => {
  const dataDir = temporaryDirectory(t);
  const mesh = { maxMesh: 'many', maxMsh: 5 };
  writeFileSync(
    join(dataDir, 'config.json'),
    JSON.stringify({ node: { prt: 1 }, plugins: { mesh: { config: mesh } } }),
  );
  const stopped = await itsgoin(['--daemon', '--data', dataDir]);
  t.is(stopped.code, 1);
  t.regex(stopped.err, /prt .*\[config\/unknown-key\]/);
  t.regex((await itsgoin(['config', 'list', '--data', dataDir])).out, /node\.prt = 1\n.*\n! node\.prt: There is no/s);
  t.is((await itsgoin(['config', 'set', 'node.prt', '2', '--data', dataDir])).code, 1);
  t.is((await itsgoin(['config', 'unset', 'node.prt', '--data', dataDir])).code, 0);

  const node = await startDaemon(t, dataDir);
  t.regex((await node.run('config', 'list')).out, /mesh\.maxMesh = "many"\n.*! mesh\.maxMsh: .*\n! mesh\.maxMesh: /s);
  t.regex((await node.run('config', 'set', 'mesh.maxMesh', '7')).out, /Still wrong: There is no setting maxMsh/);
  t.like(await node.json('config', 'unset', 'mesh.maxMsh'), { key: 'mesh.maxMsh', problem: null });
  t.like(await node.json('config', 'get', 'mesh.maxMesh'), { value: 7 });
  t.deepEqual((await node.json<{ problems: unknown[] }>('config', 'list')).problems, []);
});

test('a refused reload and a refused enable looked like success to a script', async (t) => {
  const node = await startDaemon(t);
  await node.run('plugin', 'disable', 'mesh');
  const config = JSON.parse(readFileSync(join(node.dataDir, 'config.json'), 'utf8'));
  config.plugins.peers = { config: { nothing: 1 } };
  writeFileSync(join(node.dataDir, 'config.json'), JSON.stringify(config));
  const enabled = await node.run('plugin', 'enable', 'mesh');
  t.is(enabled.code, 0);
  for (const json of [[], ['--json']]) {
    const reloaded = await node.run('plugin', 'reload', 'peers', ...json);
    t.is(reloaded.code, 1);
    t.is(reloaded.out, '');
    t.regex(reloaded.err, /peers was refused: There is no setting nothing/);
  }
  await node.run('plugin', 'disable', 'peers');
  const refused = await node.run('plugin', 'enable', 'peers', '--json');
  t.is(refused.code, 1);
  t.like(JSON.parse(refused.err), { code: 'control/not-swapped' });
});

test('a command whose plugin is off says so', async (t) => {
  const node = await startDaemon(t);
  t.is((await node.run('plugin', 'disable', 'content')).code, 0);
  const result = await node.run('post', 'create', 'x');
  t.is(result.code, 1);
  t.regex(result.err, /which is off\. \[cli\/plugin-off\]\n {2}.*plugin enable content/);
  t.is((await node.run('plugin', 'enable', 'content')).code, 0);
  t.is((await node.run('post', 'create', 'x')).code, 0);
});

test('trace prints one JSON object a frame until it is interrupted', async (t) => {
  const a = await startDaemon(t);
  const b = await startDaemon(t);
  const trace = spawnItsgoin(['trace', '--data', a.dataDir]);
  let out = '';
  trace.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  const who: Identity = await b.json('identity', 'show');
  await a.json('peer', 'connect', who.connect[0] ?? '');
  // The tracer is a process of its own and may have come too late for the first frames.
  for (let round = 0; round < 50 && !out.includes('\n'); round++)
    await b.json('profile', 'set', '--name', `Name ${round}`);
  const closed = once(trace, 'close');
  trace.kill('SIGINT');
  t.deepEqual((await closed)[0], 0);
  for (const line of out.trimEnd().split('\n')) {
    const frame = JSON.parse(line);
    t.like(frame, { peer: who.node_id });
    t.true(frame.direction === 'in' || frame.direction === 'out');
  }
});

test('the line mode runs the same commands, from a pipe as well', async (t) => {
  const node = await startDaemon(t);
  const lines = [
    'post create "from the line mode"',
    'nothing',
    '',
    'feed list',
    'itsgoin status',
    'exit',
    'post create no',
  ];
  const { code, out, err } = await itsgoin(['repl', '--data', node.dataDir], lines.join('\n'));
  t.is(code, 0);
  t.regex(out, /from the line mode/);
  t.regex(out, /node id/);
  t.regex(err, /Unknown command 'nothing'/);
  t.like(await node.json('status'), { posts: 1 });
});

test('without a terminal and without --daemon the node runs and says so', async (t) => {
  const dataDir = temporaryDirectory(t);
  const child = spawnItsgoin(['--data', dataDir, '--bind', '127.0.0.1:0']);
  // Asked for at once: on a slow machine both come in the same turn.
  const greeted = once(child.stdout as NodeJS.ReadableStream, 'data');
  const [said] = await once(child.stderr as NodeJS.ReadableStream, 'data');
  t.regex(String(said), /without the terminal UI/);
  await greeted;
  const closed = once(child, 'exit');
  child.kill('SIGINT');
  t.is((await closed)[0], 0);
});

test('--max-mesh bounds the mesh of one run, and is refused where it is no number of peers', async (t) => {
  const a = await startDaemon(t, undefined, ['--max-mesh', '1']);
  const [b, c] = [await startDaemon(t), await startDaemon(t)];
  for (const other of [b, c]) {
    const { connect }: Identity = await other.json('identity', 'show');
    await a.json('peer', 'connect', connect[0] ?? '');
  }
  t.like(await a.json('mesh', 'slots'), { held: 1, limit: 1 });
  t.is(await a.end('SIGTERM'), 0);
  t.like(await (await startDaemon(t, a.dataDir)).json('mesh', 'slots'), { limit: 101 });
  for (const given of ['0', '1001', '2.5', 'many']) {
    const { code, err } = await itsgoin(['--daemon', '--data', temporaryDirectory(t), '--max-mesh', given]);
    t.is(code, 2, given);
    t.regex(err, /no number of peers/);
  }
});

test('a port in use, a bad port and an unusable directory are clear errors', async (t) => {
  const node = await startDaemon(t);
  const { port } = (await node.json('status')) as { port: number };
  const dir = temporaryDirectory(t);
  const taken = await itsgoin(['--daemon', '--data', join(dir, 'a'), '--bind', `127.0.0.1:${port}`]);
  t.is(taken.code, 1);
  t.regex(taken.err, /\[transport\/bind-failed\]/);
  t.true(isOneLineWithHint(taken), taken.err);
  t.is((await itsgoin(['--daemon', '--data', join(dir, 'b'), '--port', '70000'])).code, 2);
  t.is((await itsgoin(['--daemon', '--data', join(dir, 'b'), '--loud'])).code, 2);
  writeFileSync(join(dir, 'file'), '');
  const file = await itsgoin(['--daemon', '--data', join(dir, 'file')]);
  t.is(file.code, 1);
  mkdirSync(join(dir, 'c'));
  writeFileSync(join(dir, 'c', 'identity.key'), 'too short');
  const broken = await itsgoin(['--daemon', '--data', join(dir, 'c')]);
  t.is(broken.code, 1);
  t.regex(broken.err, /\[identity\/bad-key-file\]/);
  t.false(existsSync(join(dir, 'c', 'control.sock')));
});
