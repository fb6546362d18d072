import { showDuration } from './durations.ts';
import type { CheckResult } from './checks.ts';
import type { LightReport } from './light.ts';
import type { Report } from './simulation.ts';

/** The report as a person reads it. */
export function showReport(report: Report): string {
  const minutes = report.virtualMs / 60_000;
  const grid: readonly (readonly [string, string])[] = [
    ['scenario', `${report.scenario}: ${report.about}`],
    ['seed', String(report.seed)],
    ['nodes', `${report.nodes}, ${report.online} on at the end`],
    ['virtual time', showDuration(report.virtualMs)],
    ['wall time', `${showDuration(report.wallMs)}, ${(report.virtualMs / report.wallMs).toFixed(1)} times as fast`],
    ['processor time', showDuration(report.cpuMs)],
    ['memory', `${report.memoryGb.toFixed(2)} GB at most`],
    ['mesh connections', `${report.mesh.min} / ${report.mesh.median} / ${report.mesh.max} (min / median / max)`],
    ['partitions', report.partitions === 1 ? 'none' : `${report.partitions} parts`],
    ['trace hash', `${report.traceHash} over ${report.traceLines} frames`],
  ];
  return [
    ...grid.map(([label, value]) => `${label.padEnd(17)}${value}`),
    '',
    `${'sent'.padEnd(26)}${'messages'.padStart(10)}${'bytes'.padStart(14)}${'bytes/node/min'.padStart(16)}`,
    ...report.messages.map(
      ({ name, messages, bytes }) =>
        `${name.padEnd(26)}${String(messages).padStart(10)}${String(bytes).padStart(14)}${(bytes / report.nodes / minutes).toFixed(0).padStart(16)}`,
    ),
    ...list('frames not taken', report.refusedFrames),
    ...list('commands that failed', report.refusedCommands),
    '',
    ...report.checks.map(showCheck),
    '',
    report.passed ? 'PASSED' : 'FAILED',
  ].join('\n');
}

export function showLightReport({
  scenario,
  about,
  seed,
  wallMs,
  traceHash,
  cases,
  checks,
  passed,
}: LightReport): string {
  return [
    `${'scenario'.padEnd(17)}${scenario}: ${about}`,
    `${'seed'.padEnd(17)}${seed}`,
    `${'wall time'.padEnd(17)}${showDuration(wallMs)}`,
    `${'hash of figures'.padEnd(17)}${traceHash}`,
    ...cases.flatMap(({ what, ...figures }) => [
      '',
      `${what}:`,
      ...Object.entries(figures).map(([name, value]) => `  ${name.padEnd(15)}${showNumber(Number(value))}`),
    ]),
    '',
    ...checks.map(
      ({ expectation, value, passed }) =>
        `${passed ? 'ok    ' : 'FAILED'} ${expectation.that} of "${expectation.case}": ${showNumber(value)} (${showBounds(expectation)})`,
    ),
    '',
    passed ? 'PASSED' : 'FAILED',
  ].join('\n');
}

function showBounds({ min, max, because }: { min?: number; max?: number; because?: string }): string {
  const bounds = [min !== undefined && `at least ${min}`, max !== undefined && `at most ${max}`].filter(Boolean);
  return bounds.join(', ') + (because === undefined ? '' : `: ${because}`);
}

function showNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function showCheck({ expectation, passed, value, atMs }: CheckResult): string {
  const { that, from } = expectation;
  const when = from === undefined ? `at ${showDuration(atMs)}` : `worst at ${showDuration(atMs)}`;
  return `${passed ? 'ok    ' : 'FAILED'} ${that}: ${showNumber(value)} ${when} (${showBounds(expectation)})`;
}

function list(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  return entries.length === 0 ? [] : ['', `${title}:`, ...entries.map(([name, count]) => `  ${name}: ${count}`)];
}
