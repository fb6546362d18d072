import { median, type PeerName } from './end.ts';

export const MEASURES = ['connect', 'firstAnswer', 'serial', 'parallel', 'parallelCpu', 'bulk', 'bulkCpu'] as const;
export type Measure = (typeof MEASURES)[number];

/**
 * Of one pair in one round: milliseconds, requests a second, megabytes a second. The processor time of both
 * ends, in microseconds a request and milliseconds a megabyte, is what a machine that does other things as well
 * disturbs least.
 */
export type Round = Readonly<Record<Measure, number>>;

/** Of these less is better. */
const TIMES: ReadonlySet<Measure> = new Set(['connect', 'firstAnswer', 'parallelCpu', 'bulkCpu']);

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Figure {
  readonly of: Readonly<Record<PeerName, Spread>>;
  /** The fastest of the others, and how many times as fast we are: above 1 is faster. Taken round by round. */
  readonly fastestOther: PeerName;
  readonly ratio: Spread;
  readonly ratioToHyperdht: Spread;
}

export function figureOf(measure: Measure, rounds: Readonly<Record<PeerName, readonly Round[]>>): Figure {
  const values = (subject: PeerName): number[] => rounds[subject].map((round) => round[measure]);
  const ratioTo = (other: PeerName): Spread => {
    const theirs = values(other);
    return spread(
      values('itsgoin').map((value, n) => {
        const ratio = value / (theirs[n] ?? Number.NaN);
        return TIMES.has(measure) ? 1 / ratio : ratio;
      }),
    );
  };
  const toHyperdht = ratioTo('hyperdht');
  const toLibp2p = ratioTo('libp2p');
  const [fastestOther, ratio] =
    toHyperdht.median <= toLibp2p.median ? (['hyperdht', toHyperdht] as const) : (['libp2p', toLibp2p] as const);
  const of = {
    itsgoin: spread(values('itsgoin')),
    hyperdht: spread(values('hyperdht')),
    libp2p: spread(values('libp2p')),
  };
  return { of, fastestOther, ratio, ratioToHyperdht: toHyperdht };
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
