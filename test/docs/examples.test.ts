import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { buildProgram } from '../../cli/program.ts';
import { splitLine } from '../../cli/command-line.ts';
import { shippedCommands } from '../../cli/commands.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { describeCommand } from '../../kernel/control/api.ts';
import type { CommandDescription } from '../../kernel/control/protocol.ts';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { writePlugin } from '../../kernel/control/plugin-template.ts';
import { findTests, runTests } from '../../kernel/control/plugin-tests.ts';
import { findPlugins, loadPlugin } from '../../kernel/lifecycle/loader.ts';
import type { CommandBase } from '../../kernel/sdk/command.ts';
import { type TestNode, testNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { blocksOf } from './blocks.ts';

/** The code blocks of the pages a newcomer runs first are compiled and run, and their commands are parsed. */

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/plugin-guide.md',
  'docs/testing.md',
  'docs/ui-contributions.md',
].filter((page) => existsSync(page));
const TSC = 'node_modules/typescript/bin/tsc';
/** Pages that go on from what `plugin new hello` writes. */
const ON_THE_TEMPLATE = new Set(['docs/testing.md']);
/** What checking all of the pages' code may cost; one deferred `Static` is a million (docs/decisions/cheap-types.md). */
const INSTANTIATIONS_MAX = 300_000;
const LANGUAGES = new Set(['', 'ts', 'json', 'sh', 'mermaid']);

const blocks = PAGES.flatMap((page) => blocksOf(page));

test('every block says its language, and code its file', (t) => {
  t.deepEqual(
    blocks.filter(({ language, file }) => !LANGUAGES.has(language) || (language === 'ts') !== (file !== undefined)),
    [],
  );
});

/** Writes the code of a page into `{dataDir}/plugins`, over the plugin of the template where the page builds on it. */
function writeCode(page: string, dataDir: string): void {
  if (ON_THE_TEMPLATE.has(page)) writePlugin(dataDir, 'hello', false);
  const written = new Set<string>();
  for (const { file, text, place } of blocksOf(page)) {
    if (file === undefined) continue;
    if (written.has(file)) throw new Error(`${place}: ${file} is there twice`);
    written.add(file);
    const path = join(dataDir, 'plugins', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Lets the plugins of a data directory find `itsgoin` as those of a user do. */
function linkPackage(dataDir: string): void {
  const link = join(dataDir, 'plugins', 'node_modules', 'itsgoin');
  mkdirSync(dirname(link), { recursive: true });
  if (!existsSync(link)) symlinkSync(process.cwd(), link, 'junction');
}

test('the code of the pages and of the template compiles, with the settings that `plugin new` writes', (t) => {
  const folder = temporaryDirectory(t);
  for (const page of PAGES) {
    const dataDir = join(folder, page.replace(/\W/g, '-'));
    writeCode(page, dataDir);
    linkPackage(dataDir);
  }
  const template = join(folder, 'template');
  writePlugin(template, 'greeter', false);
  writePlugin(template, 'lone', true);
  const settings = { extends: './template/plugins/tsconfig.json', include: ['**/*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const { stdout } = spawnSync(process.execPath, [TSC, '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' });
  t.notRegex(stdout, /error TS/);
  const [, instantiations] = /Instantiations:\s+(\d+)/.exec(stdout) ?? [];
  t.true(Number(instantiations) < INSTANTIATIONS_MAX, `${instantiations}: an editor would take long to check a plugin`);
});

test('the guide shows what `plugin new` writes', (t) => {
  const dataDir = temporaryDirectory(t);
  writePlugin(dataDir, 'hello', false);
  const shown = blocksOf('docs/plugin-guide.md').find(({ file }) => file === 'hello/plugin.ts');
  t.is(shown?.text, readFileSync(join(dataDir, 'plugins/hello/plugin.ts'), 'utf8'));
});

/** A node with what ships and the plugins of a page, all of which must have started. */
async function nodeWith(t: ExecutionContext, page: string): Promise<TestNode> {
  const dataDir = temporaryDirectory(t);
  writeCode(page, dataDir);
  linkPackage(dataDir);
  const node = await testNode(t, { dataDir, attended: true });
  const plugins = node.host.list();
  t.deepEqual(
    plugins.filter(({ state }) => state !== 'active'),
    [],
  );
  for (const path of findPlugins(join(dataDir, 'plugins')))
    t.true(
      plugins.some(({ name }) => path.endsWith(name)),
      path,
    );
  return node;
}

/** Runs a plugin's own tests as `plugin test` does; what failed in them. */
async function failuresOf(dataDir: string, plugin: string): Promise<readonly unknown[]> {
  const { tests } = await runTests(findTests(dataDir, plugin), new AbortController().signal, () => {});
  return tests.filter(({ outcome }) => outcome !== 'passed');
}

for (const page of PAGES) {
  const code = blocksOf(page).flatMap(({ file }) => file ?? []);
  if (code.length === 0) continue;

  test(`${page}: its plugins start and its tests pass`, async (t) => {
    const node = await nodeWith(t, page);
    for (const file of code.filter((name) => name.endsWith('.test.ts')))
      t.deepEqual(await failuresOf(node.dataDir, dirname(file)), []);
  });
}

test('the plugin of the README counts every post, also those of one commit', async (t) => {
  const author = await testNode(t);
  await Promise.all(Array.from({ length: 20 }, (_, index) => author.run('post.create', { text: `post ${index}` })));
  const reader = await nodeWith(t, 'README.md');
  let commits = 0;
  const watched = reader.bus.all().subscribe(({ topic }) => {
    if (topic === 'content/post-stored') commits++;
  });
  t.teardown(() => watched.unsubscribe());
  const synced = reader.nextEvent('content/sync-finished');
  await reader.run('follow.add', { target: author.connectString });
  await synced;
  t.deepEqual(await reader.run('hello.count'), { posts: 20 });
  t.true(commits < 20, 'some came in one commit');
});

test('the pane of the guide is there for the terminal UI', async (t) => {
  const { dataDir } = await nodeWith(t, 'docs/plugin-guide.md');
  const client = await connectControl(dataDir);
  t.teardown(() => client.close());
  const { result } = await client.run('ui.list', {});
  t.regex(JSON.stringify(result), /"title":"Labels"/);
});

test('every command line of the pages is one that is there', async (t) => {
  const shipped = await shippedCommands();
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const page of PAGES) {
    const commands = [...shipped, ...(await commandsOf(t, page))];
    const typed = blocksOf(page).flatMap(({ language, text }) => (language === 'sh' ? text.split('\n') : []));
    const named = [...readFileSync(page, 'utf8').matchAll(/`(itsgoin [a-z][^`|.]*)`/g)].map(([, line = '']) => line);
    for (const line of [...typed, ...named]) {
      const words = splitLine(line.replace(/(^|\s)#.*$/, '').replace(/<[^>]*>/g, 'ab'.repeat(32)));
      if (words[0] === 'npm') {
        const script = words[1] === 'run' ? words[2] : words[1];
        t.true(script !== undefined && (script in scripts || script === 'link'), `${page}: ${line}`);
      } else if (words.length > 0) {
        t.is(words[0], 'itsgoin', `${page}: ${line}`);
        await t.notThrowsAsync(parse(commands, words.slice(1)), `${page}: ${line}`);
      }
    }
  }
});

/** The commands that the plugins of a page add. */
async function commandsOf(t: ExecutionContext, page: string): Promise<CommandDescription[]> {
  const dataDir = temporaryDirectory(t);
  writeCode(page, dataDir);
  const paths = findPlugins(join(dataDir, 'plugins'));
  const loaded = await Promise.all(paths.map((path) => loadPlugin(path, new VirtualClock())));
  return loaded.flatMap(({ plugin }) =>
    Object.entries<CommandBase>(plugin.commands ?? {}).map(([name, spec]) => describeCommand(name, spec, plugin.name)),
  );
}

/** Parses words as the command line does, without running anything. */
async function parse(commands: readonly CommandDescription[], words: readonly string[]): Promise<void> {
  const program = buildProgram(commands, async () => {}, { writeOut: () => {}, writeErr: () => {} });
  program.helpCommand(true).action(() => {});
  await program.parseAsync([...words], { from: 'user' }).catch((error: { exitCode?: number }) => {
    if (error.exitCode !== 0) throw error;
  });
}
