import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readContent } from '../config/index.ts';
import { findPlugins } from '../lifecycle/loader.ts';
import { nameless } from '../lifecycle/plugin-code.ts';
import { dataPaths } from '../store/index.ts';
import { controlErrors } from './errors.ts';
import type { TestEnd, TestEvent } from './test-process.ts';

const TEST_FILE = /\.test\.[cm]?[jt]s$/;
/** Tests whose outcome is told one by one; more are counted. */
const TESTS_MAX = 2_000;
/** The newest of what tests print. */
const OUTPUT_MAX_CHARS = 16_384;
/** All tests of a plugin; those that have not ended by then are ended. */
const RUN_LIMIT_MS = 5 * 60_000;
/** What the processes of tests get to end in. */
const LEAVE_LIMIT_MS = 2_000;
const PROCESS = fileURLToPath(
  new URL(`./test-process.${import.meta.url.endsWith('.js') ? 'js' : 'ts'}`, import.meta.url),
);

/** Where a plugin's tests are. */
export interface PluginTests {
  readonly folder: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly tests: readonly TestEnd[];
  /** What tests and files that did not load printed. */
  readonly output: string;
}

/**
 * The test files of a plugin in the plugin folder, or of one that was added or stands in for another.
 *
 * @throws control/not-yours, control/no-tests, config/*
 */
export function findTests(dataDir: string, name: string): PluginTests {
  const paths = dataPaths(dataDir);
  const own = findPlugins(paths.plugins);
  const { plugins } = readContent(paths.config);
  const source = Object.hasOwn(plugins, name) ? plugins[name]?.source : undefined;
  const path = source ?? own.find((candidate) => nameless(candidate) === name);
  if (path === undefined || !existsSync(path)) {
    const known = [...own.map(nameless), ...Object.keys(plugins).filter((other) => plugins[other]?.source)];
    throw controlErrors.make('not-yours', { name, known: [...new Set(known)].sort().join(', ') || 'none' });
  }
  const single = statSync(path).isFile();
  const folder = single ? dirname(path) : path;
  // Lone files share their folder.
  const files = single
    ? readdirSync(folder)
        .filter((file) => TEST_FILE.test(file) && file.startsWith(`${nameless(basename(path))}.test.`))
        .map((file) => join(folder, file))
    : testFilesIn(folder);
  const usual = join(folder, single ? `${nameless(path)}.test.ts` : 'plugin.test.ts');
  if (files.length === 0) throw controlErrors.make('no-tests', { name, place: usual });
  return { folder, files };
}

function testFilesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFilesIn(path);
      return TEST_FILE.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** Runs test files in processes of their own, which end when `signal` aborts. Never rejects for a test that fails. */
export async function runTests(
  { folder, files }: PluginTests,
  signal: AbortSignal,
  onTest: (test: TestEnd) => void,
  limitMs = RUN_LIMIT_MS,
): Promise<TestReport> {
  // In a test of somebody else's, the runner would take part in that one's run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = fork(PROCESS, files, { cwd: folder, execArgv: [], env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const tests: TestEnd[] = [];
  let output = '';
  const print = (text: unknown) => {
    output = `${output}${text}`.slice(-OUTPUT_MAX_CHARS);
  };
  child.stdout?.on('data', print);
  child.stderr?.on('data', print);
  child.on('message', (event: TestEvent) => {
    if ('print' in event) return print(event.print);
    const test = { ...event, file: relative(folder, event.file) };
    counts[test.outcome]++;
    if (tests.length < TESTS_MAX) tests.push(test);
    onTest(test);
  });
  // The other process ends those of its tests first; it does so too when this one is gone.
  const leave = () => {
    if (child.connected) child.send('leave');
    setTimeout(() => child.kill('SIGKILL'), LEAVE_LIMIT_MS).unref();
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    leave();
  }, limitMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  signal.removeEventListener('abort', leave);
  signal.throwIfAborted();
  if (isLate || (code !== 0 && counts.failed === 0)) {
    const problem = isLate ? `was not done within ${limitMs / 1_000} s` : `ended with ${code}`;
    counts.failed++;
    tests.push({ name: 'the run', file: '', outcome: 'failed', ms: 0, place: null, problem });
  }
  return { ...counts, tests, output };
}
