import type { Verdict } from './mutation-run.ts';

export interface Summary {
  readonly folder: string;
  readonly seed: string;
  /** Mutants of the folder, of the sample, and of the sample within the time. */
  readonly mutants: number;
  readonly sampled: number;
  readonly tried: number;
  readonly killedPercent: number;
  readonly minutes: number;
  readonly verdicts: readonly Verdict[];
  /** Tests that fail or take too long without any mutant. */
  readonly unfit: readonly string[];
}

const ENDS = ['killed', 'timeout', 'survived', 'unreached'] as const;

/** A run past its time counts as killed: somebody waiting for the test would notice. */
export function killedPercent(verdicts: readonly Verdict[]): number {
  const killed = verdicts.filter(({ end }) => end === 'killed' || end === 'timeout').length;
  return verdicts.length === 0 ? 0 : Math.round((1_000 * killed) / verdicts.length) / 10;
}

/** For people: figures for each file, then what survived, in the form of the table in docs/mutation.md. */
export function showSummary(summary: Summary): string {
  const { folder, seed, mutants, sampled, tried, verdicts, unfit } = summary;
  const byFile = Map.groupBy(verdicts, ({ mutant }) => mutant.place.replace(/:\d+$/, ''));
  const files = [...byFile].sort(([a], [b]) => (a < b ? -1 : 1));
  const survivors = verdicts
    .filter(({ end }) => end === 'survived' || end === 'unreached')
    .sort((a, b) => a.mutant.place.localeCompare(b.mutant.place, 'en', { numeric: true }));
  return [
    `${folder}, seed ${seed}: ${sampled} of ${mutants} mutants, ${tried} tried in ${summary.minutes.toFixed(1)} minutes`,
    '',
    `| file | ${ENDS.join(' | ')} |`,
    '|---|---:|---:|---:|---:|',
    ...files.map(([file, each]) => `| ${file} | ${ENDS.map((end) => count(each, end)).join(' | ')} |`),
    `| all | ${ENDS.map((end) => count(verdicts, end)).join(' | ')} |`,
    '',
    ...(survivors.length === 0 ? [] : ['| place | mutation | tests that passed |', '|---|---|---|']),
    ...survivors.map(
      ({ mutant: { place, operator, original, mutated }, tried: passed, reaching }) =>
        `| ${place} | ${operator}: ${cell(original)} → ${cell(mutated)} | ${passed} of ${reaching} |`,
    ),
    ...(unfit.length === 0
      ? []
      : ['', `Not used, since they fail or take over a minute without a mutant: ${unfit.join(', ')}`]),
    '',
    `${summary.killedPercent} % killed`,
  ].join('\n');
}

function count(verdicts: readonly Verdict[], wanted: Verdict['end']): number {
  return verdicts.filter(({ end }) => end === wanted).length;
}

function cell(code: string): string {
  return `\`${code.replaceAll('|', '\\|')}\``;
}
