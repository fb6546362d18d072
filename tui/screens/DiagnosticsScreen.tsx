import { Box, Text } from 'ink';
import { LogPane, PluginsPane, TrafficPane } from '../components/DiagnosticsPanes.tsx';
import { Line } from '../components/Line.tsx';
import { OffNotice } from '../components/OffNotice.tsx';
import { PeersPane } from '../components/PeersPane.tsx';
import { ActivityPane, GrowthPane } from '../components/RowsPane.tsx';
import { PANES, type DiagnosticsState, type Pane } from '../store/diagnostics.ts';
import { useStore } from '../store/store.ts';
import { breakdown, type Figure, summaryFigures } from '../summary.ts';
import type { ScreenProps } from '../tabs.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';

const PANE_OF: Readonly<Record<Pane, typeof PeersPane>> = {
  Peers: PeersPane,
  Growth: GrowthPane,
  Activity: ActivityPane,
  Plugins: PluginsPane,
  Traffic: TrafficPane,
  Log: LogPane,
};

const FIGURES_A_ROW = 4;
/** A screen with fewer lines than this shows one row of figures, and keeps the rest for the pane. */
const WHOLE_SUMMARY_ROWS = 14;

/** Figures of the node in a grid, its connections by kind, then one pane of details (UI-19). */
export function DiagnosticsScreen({ session, area }: ScreenProps) {
  const node = useStore(session.node.state, (state) => state);
  const state = useStore(session.diagnostics.state, (all) => all);
  const { overview, pane } = state;
  const isWhole = area.rows >= WHOLE_SUMMARY_ROWS;
  const figures = summaryFigures(node, overview);
  const shown = isWhole ? figures : figures.slice(0, 1);
  const { off } = session.diagnostics;
  const headRows = shown.length + (isWhole ? 2 : 0) + 1 + (off === undefined ? 0 : 1);
  const Pane = PANE_OF[pane];
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      {shown.map((row) => (
        <FigureRow key={row[0]?.[0]} figures={row} columns={area.columns} />
      ))}
      {isWhole ? <FigureRow figures={[['links', breakdown(overview.slots)]]} columns={area.columns} /> : null}
      {isWhole ? <Line /> : null}
      <PaneNames state={state} columns={area.columns} />
      {off === undefined ? null : <OffNotice plugin={off} keeps={false} />}
      <Pane session={session} area={{ columns: area.columns, rows: Math.max(1, area.rows - headRows) }} />
    </Box>
  );
}

function FigureRow({ figures, columns }: { readonly figures: readonly Figure[]; readonly columns: number }) {
  const cell = Math.max(12, Math.floor((columns - 3) / FIGURES_A_ROW));
  return (
    <Line>
      {'  '}
      {figures.map(([label, value], index) => (
        <Text key={label}>
          <Text color={THEME.dim}>{`${label} `}</Text>
          <Text bold {...(value === 'off' ? { color: THEME.warn } : {})}>
            {index === figures.length - 1 ? value : pad(value, Math.max(value.length + 2, cell - label.length - 1))}
          </Text>
        </Text>
      ))}
    </Line>
  );
}

function PaneNames({ state, columns }: { readonly state: DiagnosticsState; readonly columns: number }) {
  const { pane, peers, plugins, paused, busy } = state;
  const sizes: Partial<Record<Pane, number>> = { Peers: peers.length, Plugins: plugins.length };
  const gap = columns < 70 ? ' ' : '  ';
  const doing = busy.length > 0 ? `${busy.join(', ')} …` : paused ? 'held, p lets it run' : '';
  return (
    <Line>
      {'  '}
      {PANES.map((name) => (
        <Text key={name}>
          <Text bold={name === pane} color={name === pane ? THEME.accent : THEME.dim} underline={name === pane}>
            {name + (sizes[name] === undefined ? '' : ` ${sizes[name]}`)}
          </Text>
          {gap}
        </Text>
      ))}
      <Text color={THEME.warn}>{doing}</Text>
    </Line>
  );
}
