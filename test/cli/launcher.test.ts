import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';

/** Stands for the compiled command line: tells where it runs, then does what its first word says. */
const FAKE_MAIN = `export async function main([word, ...words]) {
  if (word === 'stay') {
    process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(7); });
    console.log('here');
    await new Promise((resolve) => setTimeout(resolve, 20_000));
  }
  console.log(JSON.stringify({ version: process.versions.node, words }));
  return Number(word);
}`;

/** Reports another version of Node, then runs the launcher: an old Node that is always at hand. */
const oldNode = (version: string) => `Object.defineProperty(process.versions, 'node', { value: '${version}' });
  process.argv.splice(1, 0, process.env.LAUNCHER); import(process.env.LAUNCHER);`;

/** A copy of the launcher in a tree with or without its own Node and its compiled code. */
function tree(t: ExecutionContext, parts: { node?: boolean; dist?: boolean }): string {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  copyFileSync('bin/itsgoin.js', join(root, 'bin', 'itsgoin.js'));
  if (parts.dist) {
    mkdirSync(join(root, 'dist', 'cli'), { recursive: true });
    writeFileSync(join(root, 'dist', 'cli', 'main.js'), FAKE_MAIN);
  }
  if (parts.node) {
    mkdirSync(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
    symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  }
  return root;
}

function launch(root: string, words: string[], version?: string) {
  const bin = join(root, 'bin', 'itsgoin.js');
  const args = version === undefined ? [bin, ...words] : ['-e', oldNode(version), '--', ...words];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, LAUNCHER: bin },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ ...output, code: code ?? signal }));
  return { child, ended };
}

test('an old Node hands over to the project’s own, with the same words and exit code', async (t) => {
  const { out, code } = await launch(tree(t, { node: true, dist: true }), ['3', '--text', 'a b'], '18.0.0').ended;
  t.is(code, 3);
  t.deepEqual(JSON.parse(out), { version: process.versions.node, words: ['--text', 'a b'] });
});

test('an old Node without the project’s own says in one line what is needed', async (t) => {
  for (const version of ['12.22.0', '20.20.2', '22.17.9']) {
    const { err, out, code } = await launch(tree(t, { dist: true }), ['0'], version).ended;
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, /^itsgoin needs Node 22\.18\.0 or newer, this is [\d.]+\..*npm install.*\n$/);
  }
});

test('a new enough Node runs it itself', async (t) => {
  t.is((await launch(tree(t, { dist: true }), ['4'], '22.18.0').ended).code, 4);
});

test('what is not built yet says how to build it', async (t) => {
  const { err, code } = await launch(tree(t, { node: true }), []).ended;
  t.is(code, 1);
  t.regex(err, /^itsgoin is not built yet: run `npm start`.*\n$/);
});

test('a signal to the launcher reaches the node, and its exit code comes back', async (t) => {
  const { child, ended } = launch(tree(t, { node: true, dist: true }), ['stay'], '18.0.0');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const { code, out } = await ended;
  t.is(code, 7);
  t.regex(out, /asked to stop/);
});

test('a launcher killed outright leaves no node behind', async (t) => {
  const { child, ended } = launch(tree(t, { node: true, dist: true }), ['stay'], '18.0.0');
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  // The pipes close only when the node itself is gone.
  t.regex((await ended).out, /asked to stop/);
});

test('the launcher has no syntax that an old Node does not know', (t) => {
  const code = readFileSync('bin/itsgoin.js', 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
  t.notRegex(code, /\?\.|\?\?|from 'node:|^\s*await |#\w|\bat\(-/m);
});

interface LockedPackage {
  readonly optionalDependencies?: Record<string, string>;
}

test('the lock file names the packages of every platform and agrees with package.json', (t) => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> };
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.like(lock.packages[''], { dependencies, devDependencies });
  const missing = Object.values(lock.packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => lock.packages[`node_modules/${name}`] === undefined);
  t.deepEqual(missing, [], 'npm ci refuses a lock file that lacks them; an installed tree lists only its own platform');
});

test('every npm script that runs compiled code makes the tree ready first', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const name of ['start', 'demo', 'test', 'repl', 'bench']) {
    t.is(scripts[`pre${name}`], 'node scripts/prepare.mjs', name);
  }
  t.true(existsSync('scripts/prepare.mjs'));
});
