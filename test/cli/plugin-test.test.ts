import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writePlugin } from '../../kernel/control/plugin-template.ts';
import { findTests, runTests } from '../../kernel/control/plugin-tests.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { itsgoin, spawnItsgoin } from './itsgoin.ts';

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly tests: readonly {
    name: string;
    file: string;
    outcome: string;
    place: string | null;
    problem: string | null;
  }[];
  readonly output: string;
}

/** A data directory whose node does not run, with a plugin that `plugin new` wrote. */
function withPlugin(t: ExecutionContext, single = false): { dataDir: string; folder: string } {
  const dataDir = temporaryDirectory(t);
  writePlugin(dataDir, 'hello', single);
  return { dataDir, folder: join(dataDir, 'plugins', ...(single ? [] : ['hello'])) };
}

function run(dataDir: string, ...words: string[]) {
  return itsgoin(['plugin', 'test', ...words, '--data', dataDir]);
}

for (const single of [false, true]) {
  test(`what plugin new writes passes its tests, ${single ? 'as one file' : 'as a folder'}`, async (t) => {
    const { dataDir } = withPlugin(t, single);
    const { code, out, err } = await run(dataDir, 'hello');
    t.is(code, 0, out + err);
    t.regex(out, /^✔ pings the peer it is given \(\d+ ms\)\n(.*\n)*hello: 3 passed, 0 failed\n$/);
  });
}

test('tests that fail are told with their place, and the command exits with 1', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  mkdirSync(join(folder, 'deeper'));
  rmSync(join(folder, 'plugin.test.ts'));
  const failing = join(folder, 'deeper', 'bad.test.js');
  writeFileSync(
    failing,
    `import assert from 'node:assert/strict';
import test, { suite } from 'node:test';
suite('outer', () => {
  test('inner', () => {
    console.log('said');
    assert.equal(1, 2);
  });
});
test.skip('later', () => {});
`,
  );
  writeFileSync(join(folder, 'broken.test.ts'), 'const x = = 1;\n');
  const { code, out, err } = await run(dataDir, 'hello', '--json');
  t.is(code, 1);
  t.like(JSON.parse(err), { code: 'control/tests-failed', message: '2 of 2 tests of hello failed' });
  const { tests, output, ...counts } = JSON.parse(out) as Report;
  t.like(counts, { passed: 0, failed: 2, skipped: 1 });
  const named = Object.fromEntries(tests.map((test) => [test.name, test]));
  t.like(named.inner, { outcome: 'failed', file: join('deeper', 'bad.test.js'), place: `${failing}:6:12` });
  t.regex(named.inner?.problem ?? '', /1 !== 2/);
  t.is(named.later?.outcome, 'skipped');
  t.is(named['broken.test.ts']?.outcome, 'failed');
  t.regex(output, /said/);
  t.regex(output, /broken\.test\.ts:1\n/);
});

test('a plugin that is not there, or has no tests, is told with what to do', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  const unknown = await run(dataDir, 'content');
  t.is(unknown.code, 1);
  t.regex(
    unknown.err,
    /no plugin of yours named "content"; there is: hello\. \[control\/not-yours\]\n.*plugin new content/,
  );
  rmSync(join(folder, 'plugin.test.ts'));
  const none = await run(dataDir, 'hello');
  t.is(none.code, 1);
  t.regex(none.err, /hello has no tests.*plugin\.test\.ts.*\[control\/no-tests\]\n.*itsgoin\/testing/);
});

test('a plugin that was added from elsewhere finds the test kit', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  const elsewhere = temporaryDirectory(t);
  for (const file of ['plugin.ts', 'plugin.test.ts'])
    writeFileSync(join(elsewhere, file), readFileSync(join(folder, file)));
  rmSync(join(dataDir, 'plugins'), { recursive: true });
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ plugins: { hello: { source: elsewhere } } }));
  const { code, out, err } = await run(dataDir, 'hello');
  t.is(code, 0, out + err);
});

test('an endless test ends when the command is interrupted', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  const pids = join(folder, 'pid');
  writeFileSync(
    join(folder, 'plugin.test.ts'),
    `import { renameSync, writeFileSync } from 'node:fs';
writeFileSync('pid.new', String(process.pid));
renameSync('pid.new', 'pid');
for (;;);
`,
  );
  const command = spawnItsgoin(['plugin', 'test', 'hello', '--data', dataDir]);
  const ended = once(command, 'close');
  t.true(await eventually(() => existsSync(pids)));
  const pid = Number(readFileSync(pids, 'utf8'));
  t.teardown(() => isAlive(pid) && process.kill(pid, 'SIGKILL'));
  command.kill('SIGINT');
  t.is((await ended)[0], 130);
  t.true(await eventually(() => !isAlive(pid)));
});

test('tests that never end are ended, and those that did are told', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  writeFileSync(
    join(folder, 'plugin.test.ts'),
    `import test from 'node:test';
test('quick', () => {});
test('endless', () => { for (;;); });
`,
  );
  const report = await runTests(findTests(dataDir, 'hello'), new AbortController().signal, () => {}, 1_000);
  t.is(report.failed, 1);
  t.is(report.tests.at(-1)?.problem, 'was not done within 1 s');
});

test('npm install in a plugin’s folder is for that plugin, and takes nothing away', async (t) => {
  const { dataDir, folder } = withPlugin(t);
  const dependency = temporaryDirectory(t);
  writeFileSync(
    join(dependency, 'package.json'),
    JSON.stringify({ name: 'shout', version: '1.0.0', type: 'module', main: 'shout.js' }),
  );
  writeFileSync(join(dependency, 'shout.js'), 'export const shout = (text) => text.toUpperCase();');
  const npm = spawn('npm', ['install', dependency, '--offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    shell: process.platform === 'win32',
    stdio: 'ignore',
  });
  t.deepEqual(await once(npm, 'close'), [0, null]);
  t.true(existsSync(join(folder, 'node_modules', 'shout')));
  t.false(existsSync(join(dataDir, 'plugins', 'node_modules', 'shout')));
  const plugin = join(folder, 'plugin.ts');
  const code = readFileSync(plugin, 'utf8').replaceAll('ctx.config.greeting', 'shout(ctx.config.greeting)');
  writeFileSync(plugin, `import { shout } from 'shout';\n${code}`);
  const { out } = await run(dataDir, 'hello', '--json');
  const { tests } = JSON.parse(out) as Report;
  t.regex(tests.find(({ name }) => name.startsWith('pings'))?.problem ?? '', /HELLO, you there/);
});

async function eventually(holds: () => boolean): Promise<boolean> {
  const giveUpAt = performance.now() + 20_000;
  while (!holds() && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20));
  return holds();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
