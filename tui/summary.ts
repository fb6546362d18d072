import { bytes, count, duration } from './format.ts';
import type { NodeState } from './store/node.ts';
import type { Overview, Slots } from './store/overview.ts';

/** Label and value of a figure. */
export type Figure = readonly [label: string, value: string];

const OFF = 'off';

/** The summary of the node in rows of four (UI-19): `status`, `mesh slots`, `growth explain`, `worm explain`. */
export function summaryFigures(
  node: NodeState,
  { slots, growth, searching }: Overview,
): readonly (readonly Figure[])[] {
  const of = (held: number | undefined, limit: number | undefined): string =>
    held === undefined || limit === undefined ? OFF : `${count(held)}/${count(limit)}`;
  const known = (size: number | undefined): string => (size === undefined ? OFF : count(size));
  const kind = (name: string): string => (slots === undefined ? OFF : count(slots.kinds[name] ?? 0));
  return [
    [
      ['mesh', of(slots?.held, slots?.limit)],
      ['preferred', of(slots?.preferred, slots?.preferredLimit)],
      ['sessions', kind('session')],
      ['keep-alives', kind('keep-alive')],
    ],
    [
      ['N1', known(node.n1)],
      ['N2', known(node.n2)],
      ['N3', known(node.n3)],
      ['ephemeral', kind('ephemeral')],
    ],
    [
      ['up', duration(node.uptimeMs)],
      ['port', node.port === undefined ? '–' : String(node.port)],
      ['memory', bytes(node.rssBytes)],
      ['posts', count(node.posts)],
    ],
    [
      ['searches', searching === undefined ? OFF : `${count(searching)} running`],
      ['growth', growth ?? OFF],
    ],
  ];
}

/** The connections by kind: `3 preferred · 9 other mesh · 1 keep-alive · 2 session · 0 ephemeral`. */
export function breakdown(slots: Slots | undefined): string {
  if (slots === undefined) return 'unknown while mesh is off';
  const { mesh: _, ...others } = slots.kinds;
  const kinds = { 'keep-alive': 0, session: 0, ephemeral: 0, ...others };
  return [
    `${slots.preferred} preferred`,
    `${slots.held - slots.preferred} other mesh`,
    ...Object.entries(kinds).map(([kind, size]) => `${size} ${kind}`),
  ].join(' · ');
}
