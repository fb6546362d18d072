import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { reachedIn } from './coverage.ts';
import type { Mutant } from './mutants.ts';
import { Sandbox } from './sandbox.ts';
import { runTest } from './test-run.ts';

/** A test on the original that takes longer is stopped, and tried on no mutant. */
const BASELINE_LIMIT_MS = 60_000;

export interface RunOptions {
  /** The built project. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** Compiled test files, from the root. */
  readonly tests: readonly string[];
  /** Tests in a folder of this name come first: `content` for `plugins/content`. */
  readonly area: string;
  /** Tests tried on one mutant, by their durations on the original. */
  readonly budgetMs: number;
  /** A mutant's test may take three times as long as on the original, and this on top. */
  readonly graceMs: number;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

export interface Verdict {
  readonly mutant: Mutant;
  /** `unreached`: no test runs the place. `survived`: those that were tried passed. */
  readonly end: 'killed' | 'timeout' | 'survived' | 'unreached';
  /** Tests tried. */
  readonly tried: number;
  /** Tests that run the place; more than `tried` when the budget ended. */
  readonly reaching: number;
  /** The test that failed or ran on. */
  readonly by?: string;
}

interface Baseline {
  readonly test: string;
  readonly durationMs: number;
  readonly reached: ReadonlySet<Mutant>;
}

/**
 * Runs every test once on the original, to learn which of the mutants' places it runs and how long it
 * takes, then each mutant against the tests that run its place, up to the first that fails: the one that
 * noticed the last mutant of the file, the area's own, the others, each time the fastest first. Whether
 * a test imports the file says less: plugins are loaded by path. `verdicts` lacks the mutants that the
 * signal left no time for; `unfit` are tests that fail or take too long without one.
 */
export async function runMutants(options: RunOptions): Promise<{ verdicts: Verdict[]; unfit: string[] }> {
  const { root, tests, mutants, workers, signal, progress } = options;
  const sandboxes = Array.from({ length: workers }, () => new Sandbox(root));
  try {
    const baselines: Baseline[] = [];
    const unfit: string[] = [];
    await share(sandboxes, tests, signal, async (sandbox, test) => {
      progress(`original: ${test}`);
      const baseline = await measure(sandbox, test, options);
      if (baseline === undefined) {
        if (!signal.aborted) unfit.push(test);
      } else if (baseline.reached.size > 0) baselines.push(baseline);
    });
    progress(`${baselines.length} of ${tests.length} test files reach the sample`);
    const rank = ({ test }: Baseline): number => (test.includes(`/test/${options.area}/`) ? 0 : 1);
    baselines.sort((a, b) => rank(a) - rank(b) || a.durationMs - b.durationMs);
    const verdicts: Verdict[] = [];
    /** By file, the test that noticed its last mutant: the best guess for the next one. */
    const guesses = new Map<string, string>();
    await share(sandboxes, mutants, signal, async (sandbox, mutant) => {
      const guess = guesses.get(mutant.file);
      const ordered = [...baselines].sort((a, b) => Number(b.test === guess) - Number(a.test === guess));
      const verdict = await judge(sandbox, mutant, ordered, options);
      if (verdict === undefined) return;
      verdicts.push(verdict);
      if (verdict.by !== undefined) guesses.set(mutant.file, verdict.by);
      progress(`${verdicts.length}/${mutants.length} ${verdict.end} ${mutant.place} ${mutant.operator}`);
    });
    return { verdicts, unfit: unfit.sort() };
  } finally {
    for (const sandbox of sandboxes) sandbox.remove();
  }
}

/** `undefined` when it does not pass. */
async function measure(sandbox: Sandbox, test: string, { mutants, signal }: RunOptions): Promise<Baseline | undefined> {
  const coverage = join(sandbox.root, 'coverage');
  mkdirSync(coverage);
  try {
    const { outcome, durationMs } = await runTest(sandbox, test, { limitMs: BASELINE_LIMIT_MS, coverage, signal });
    return outcome === 'passed' ? { test, durationMs, reached: reachedIn(coverage, sandbox.root, mutants) } : undefined;
  } finally {
    rmSync(coverage, { recursive: true });
  }
}

/** `undefined` when the signal ended it. */
async function judge(
  sandbox: Sandbox,
  mutant: Mutant,
  baselines: readonly Baseline[],
  { budgetMs, graceMs, signal }: RunOptions,
): Promise<Verdict | undefined> {
  const reaching = baselines.filter(({ reached }) => reached.has(mutant));
  if (reaching.length === 0) return { mutant, end: 'unreached', tried: 0, reaching: 0 };
  const restore = sandbox.apply(mutant);
  let tried = 0;
  let leftMs = budgetMs;
  try {
    for (const { test, durationMs } of reaching) {
      if (durationMs > leftMs) continue;
      leftMs -= durationMs;
      tried += 1;
      const { outcome } = await runTest(sandbox, test, { limitMs: 3 * durationMs + graceMs, signal });
      if (signal.aborted) return undefined;
      if (outcome === 'passed') continue;
      return { mutant, end: outcome === 'failed' ? 'killed' : 'timeout', tried, reaching: reaching.length, by: test };
    }
  } finally {
    restore();
    sandbox.clearTemporary();
  }
  return { mutant, end: 'survived', tried, reaching: reaching.length };
}

/** Each sandbox takes the next item when it is free, until there are none or the signal says so. */
async function share<T>(
  sandboxes: readonly Sandbox[],
  items: readonly T[],
  signal: AbortSignal,
  work: (sandbox: Sandbox, item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    sandboxes.map(async (sandbox) => {
      for (const item of queue) {
        if (signal.aborted) return;
        await work(sandbox, item);
      }
    }),
  );
}
