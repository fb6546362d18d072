import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../../lab/lab.ts';
import { median } from '../peers/end.ts';
import { EndProcess } from '../peers/end-process.ts';
import { installPackages } from '../peers/packages.ts';
import { shareOf } from './fairness.ts';

const SUBJECTS = ['itsgoin', 'hyperdht'] as const;
type Name = (typeof SUBJECTS)[number];

const RATE_MBIT = 100;
/** A transfer lasts a while also where the link is fast, and ends also where it is slow. */
const BYTES = 4_000_000;
const LATER_TRANSFERS = 2;
const REQUESTS = 20;
const ROUNDS = 3;
const FLOWS = [
  ['itsgoin', 'tcp'],
  ['itsgoin', 'itsgoin'],
  ['hyperdht', 'tcp'],
  ['tcp', 'tcp'],
] as const;
const CONDITIONS = [20, 100].flatMap((rttMs) => [0, 1, 5].map((lossPercent) => ({ rttMs, lossPercent })));

interface Condition {
  readonly rttMs: number;
  /** Each way. */
  readonly lossPercent: number;
}

/** Of one subject in one round. */
interface Round {
  /** Megabytes a second: of the first transfer of a connection, and of later ones. */
  readonly first: number;
  readonly later: number;
  /** The longest time in which no byte of a transfer came. */
  readonly stallMs: number;
  readonly requestMs: number;
  readonly longestRequestMs: number;
}

interface LinkFigures extends Condition {
  readonly of: Readonly<Record<Name, Round>>;
  /** Above 1 is faster than hyperdht; of the same round, the median of all. */
  readonly ratio: Readonly<Record<'first' | 'later', number>>;
}

export interface LossFigures {
  readonly links: readonly LinkFigures[];
  /** What part of a link each of the first gets that shares it with the second. */
  readonly shares: readonly { readonly flow: string; readonly beside: string; readonly share: number }[];
}

/** Whole nodes beside hyperdht over a link with loss, distance and a rate: two machines of the laboratory, MTU 1,500. */
export async function measureLoss(): Promise<LossFigures> {
  installPackages();
  const links: LinkFigures[] = [];
  for (const condition of CONDITIONS) links.push(await measureLink(condition));
  const shares: LossFigures['shares'][number][] = [];
  const tmpDir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-loss-'));
  try {
    for (const [flow, beside] of FLOWS) {
      const found: number[] = [];
      for (let round = 0; round < ROUNDS; round++) found.push(await shareOf(flow, beside, tmpDir));
      shares.push({ flow, beside, share: median(found) });
    }
  } finally {
    rmSync(tmpDir, { recursive: true, force: true });
  }
  return { links, shares };
}

/** Rows to print. */
export function lossTable({ links, shares }: LossFigures): object[] {
  const short = (value: number): number => Number(value.toPrecision(3));
  return [
    ...links.flatMap(({ rttMs, lossPercent, of, ratio }) =>
      SUBJECTS.map((name) => ({
        '': `${name}, ${rttMs} ms, ${lossPercent} %`,
        'first, MB/s': short(of[name].first),
        'later, MB/s': short(of[name].later),
        'longest stall, ms': Math.round(of[name].stallMs),
        'request, ms': Math.round(of[name].requestMs),
        'longest request, ms': Math.round(of[name].longestRequestMs),
        ratio: name === 'itsgoin' ? `${short(ratio.first)}, ${short(ratio.later)}` : '',
      })),
    ),
    ...shares.map(({ flow, beside, share }) => ({ '': `share of ${flow} beside ${beside}`, ratio: short(share) })),
  ];
}

/** The median of all rounds, and of stalls the longest. */
async function measureLink(condition: Condition): Promise<LinkFigures> {
  const found: Record<Name, Round>[] = [];
  for (let round = 0; round < ROUNDS; round++) found.push(await measureRound(condition, round));
  const middle = (name: Name): Round => {
    const values = (key: keyof Round): number[] => found.map((round) => round[name][key]);
    return {
      first: median(values('first')),
      later: median(values('later')),
      stallMs: Math.max(...values('stallMs')),
      requestMs: median(values('requestMs')),
      longestRequestMs: Math.max(...values('longestRequestMs')),
    };
  };
  const ratio = (key: 'first' | 'later'): number => median(found.map((one) => one.itsgoin[key] / one.hyperdht[key]));
  return {
    ...condition,
    of: { itsgoin: middle('itsgoin'), hyperdht: middle('hyperdht') },
    ratio: { first: ratio('first'), later: ratio('later') },
  };
}

async function measureRound({ rttMs, lossPercent }: Condition, round: number): Promise<Record<Name, Round>> {
  // The queue holds what is under way on the link: a BDP.
  const link = `delay=${rttMs / 2},loss=${lossPercent},rate=${RATE_MBIT * 1_000},queue=${rttMs}`;
  const lab = await Lab.up(`l${process.pid.toString(36)}`, ['pub:near', `pub:far,${link}`]);
  const tmpDir = mkdtempSync(join(tmpdir(), 'itsgoin-bench-loss-'));
  try {
    const found: Partial<Record<Name, Round>> = {};
    // Whoever comes first meets the machine in another state than who comes after.
    for (const name of round % 2 === 0 ? SUBJECTS : SUBJECTS.toReversed())
      found[name] = await measure(lab, name, tmpDir);
    return found as Record<Name, Round>;
  } finally {
    await lab.down();
    rmSync(tmpDir, { recursive: true, force: true });
  }
}

async function measure(lab: Lab, subject: Name, tmpDir: string): Promise<Round> {
  const ends = (['near', 'far'] as const).map((node) => new EndProcess(lab.within(node), tmpDir));
  const [near, far] = ends as [EndProcess, EndProcess];
  try {
    const contact = await far.call('start', { subject, host: lab.node('far').address });
    await near.call('start', { subject, host: lab.node('near').address });
    await near.call('connect', { contact, times: 1 });
    const requests = await near.call('delays', { times: REQUESTS });
    const transfers = [];
    for (let n = 0; n <= LATER_TRANSFERS; n++) transfers.push(await near.call('transfer', { bytes: BYTES }));
    const [first, ...later] = transfers as [(typeof transfers)[0], ...typeof transfers];
    return {
      first: first.rate,
      later: median(later.map(({ rate }) => rate)),
      stallMs: Math.max(...transfers.map(({ stallMs }) => stallMs)),
      requestMs: requests.medianMs,
      longestRequestMs: requests.longestMs,
    };
  } finally {
    await Promise.all(ends.map((end) => end.stopped()));
  }
}
