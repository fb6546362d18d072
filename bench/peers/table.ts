import { type Figure, type Measure, MEASURES, type Spread } from './rounds.ts';
import { PEERS } from './end.ts';
import type { PeersFigures } from './peers.ts';

/** Rows to print: the median and, in brackets, the least and the most of all rounds. */
export function peersTable({ mtu, processes }: PeersFigures): readonly Readonly<Record<string, string>>[] {
  const titles: Readonly<Record<Measure, string>> = {
    connect: 'connect, ms',
    firstAnswer: 'first answer, ms',
    serial: 'serial, requests/s',
    parallel: '50 parallel, requests/s',
    parallelCpu: 'CPU of it, µs a request',
    bulk: `bulk at MTU ${mtu?.toLocaleString('en') ?? 'of loopback'}, MB/s`,
    bulkCpu: 'CPU of it, ms a MB',
  };
  const row = (who: string, figures: Readonly<Record<Measure, Figure>>, cell: (figure: Figure) => string) => ({
    '': who,
    ...Object.fromEntries(MEASURES.map((measure) => [titles[measure], cell(figures[measure])])),
  });
  return Object.entries(processes).flatMap(([count, figures]) => [
    ...PEERS.map((name) =>
      row(`${name}, ${count === 'one' ? 'one process' : 'two processes'}`, figures, ({ of }) => text(of[name])),
    ),
    row('ratio to the fastest other', figures, ({ fastestOther, ratio }) => `${text(ratio)} ${fastestOther}`),
    row('ratio to hyperdht', figures, ({ ratioToHyperdht }) => text(ratioToHyperdht)),
  ]);
}

function text({ median, min, max }: Spread): string {
  return `${short(median)} (${short(min)}–${short(max)})`;
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}
