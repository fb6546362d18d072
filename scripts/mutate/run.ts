import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutantsOf, sample } from './mutants.ts';
import { runMutants } from './mutation-run.ts';
import { killedPercent, showSummary } from './report.ts';

const USAGE = `Usage: npm run mutate -- <folder> [--count N] [--seed S] [--tests GLOB] [--budget S]
                                   [--workers N] [--minutes M] [--json]

Breaks the code of a folder (plugins/content) in one place after the other, and shows where no test fails.

  --count N      mutants, chosen at random (300)
  --seed S       of the choice; printed, and another one in each run
  --tests GLOB   of the everyday tests only these: 'test/content/*'
  --budget S     seconds of tests for one mutant (25); more on a busy machine
  --workers N    at a time (the processors, at most 2)
  --minutes M    then it ends with what it has (40)
  --json         the report for programs

docs/mutation.md says more.
Exit code: 0 when it came to its end, 1 when the time did not suffice, 2 when it could not be run.`;

/** So long that a busy machine kills no mutant. */
const GRACE_MS = 5_000;
const root = join(import.meta.dirname, '..', '..', '..');
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) return 2;
  const { folder, seed, workers, minutes } = options;
  const all = mutantsOf(root, folder);
  const mutants = sample(all, options.count, seed);
  const tests = everydayTests(options.tests);
  if (mutants.length === 0 || tests.length === 0) {
    console.error(mutants.length === 0 ? `Nothing to mutate in ${folder}` : `No tests match ${options.tests}`);
    return 2;
  }
  const startedMs = performance.now();
  const signal = AbortSignal.any([AbortSignal.timeout(minutes * 60_000), interrupted()]);
  const progress = (text: string): void => console.error(text);
  progress(`${folder}: ${mutants.length} of ${all.length} mutants, seed ${seed}`);
  const area = basename(folder);
  const budgetMs = options.budget * 1_000;
  const given = { root, mutants, tests, area, budgetMs, graceMs: GRACE_MS, workers, signal, progress };
  const { verdicts, unfit } = await runMutants(given);
  if (signal.aborted) progress(`not all were tried: ${String(signal.reason)}`);
  const summary = {
    folder,
    seed,
    mutants: all.length,
    sampled: mutants.length,
    tried: verdicts.length,
    killedPercent: killedPercent(verdicts),
    minutes: (performance.now() - startedMs) / 60_000,
    verdicts,
    unfit,
  };
  console.log(options.json ? JSON.stringify(summary, undefined, 2) : showSummary(summary));
  return verdicts.length === mutants.length ? 0 : 1;
}

interface Options {
  readonly folder: string;
  readonly count: number;
  readonly seed: string;
  readonly tests: string;
  readonly budget: number;
  readonly workers: number;
  readonly minutes: number;
  readonly json: boolean;
}

/** `undefined`, with the reason shown, when they are wrong. */
function readOptions(args: readonly string[]): Options | undefined {
  const string = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        count: string,
        seed: string,
        tests: string,
        budget: string,
        workers: string,
        minutes: string,
        json: { type: 'boolean' },
      },
    });
    const [folder] = positionals;
    if (folder === undefined || positionals.length > 1) throw new Error('one folder at a time');
    return {
      folder: folder.replace(/\/+$/, ''),
      count: positive('count', values.count, 300),
      seed: values.seed ?? String(process.hrtime.bigint() % 1_000_000n),
      tests: values.tests ?? 'test/**',
      budget: positive('budget', values.budget, 25),
      workers: positive('workers', values.workers, Math.min(2, availableParallelism())),
      minutes: positive('minutes', values.minutes, 40),
      json: values.json === true,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function positive(name: string, value: string | undefined, otherwise: number): number {
  const number = value === undefined ? otherwise : Number(value);
  if (!Number.isSafeInteger(number) || number <= 0) throw new Error(`--${name} must be a whole number above 0`);
  return number;
}

function everydayTests(pattern: string): string[] {
  const long = JSON.parse(readFileSync(join(root, 'scripts', 'long-tiers.json'), 'utf8')) as string[];
  // The test of this script breaks code of its own.
  const leftOut = [...long, 'mutate'].map((tier) => `dist/test/${tier}/`);
  return globSync(`dist/${pattern.replace(/\.ts$/, '.js')}`, { cwd: root })
    .filter((file) => file.endsWith('.test.js') && !leftOut.some((folder) => file.startsWith(folder)))
    .sort();
}

function interrupted(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => abort.abort(new Error(`stopped by ${name}`)));
  return abort.signal;
}
