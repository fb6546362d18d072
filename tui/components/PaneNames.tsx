import { Text } from 'ink';
import type { DiagnosticsState } from '../store/diagnostics.ts';
import { THEME } from '../theme.ts';
import { columnsOf } from '../wrap.ts';
import { Line } from './Line.tsx';

interface PaneNamesProps {
  readonly state: DiagnosticsState;
  readonly titles: readonly string[];
  readonly paused: boolean;
  readonly columns: number;
}

/** The panes of Diagnostics; where they are too many for the line, those around the one that is shown. */
export function PaneNames({ state, titles, paused, columns }: PaneNamesProps) {
  const { pane, peers, plugins, busy } = state;
  const sizes = new Map([
    ['Peers', ` ${peers.length}`],
    ['Plugins', ` ${plugins.length}`],
  ]);
  const labels = titles.map((name) => ({ name, label: name + (sizes.get(name) ?? '') }));
  const gap = columns < 70 ? ' ' : '  ';
  const doing = busy.length > 0 ? `${busy.join(', ')} …` : paused ? 'held, p lets it run' : '';
  const width = (from: number, to: number) =>
    labels.slice(from, to).reduce((sum, { label }) => sum + columnsOf(label) + gap.length, 4);
  const current = Math.max(0, titles.indexOf(pane));
  let first = 0;
  while (first < current && width(first, current + 1) > columns) first += 1;
  return (
    <Line>
      {first === 0 ? '  ' : '… '}
      {labels.slice(first).map(({ name, label }) => (
        <Text key={name}>
          <Text bold={name === pane} color={name === pane ? THEME.accent : THEME.dim} underline={name === pane}>
            {label}
          </Text>
          {gap}
        </Text>
      ))}
      <Text color={THEME.warn}>{doing}</Text>
    </Line>
  );
}
