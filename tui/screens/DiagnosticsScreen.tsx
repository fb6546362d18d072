import { Box, Text } from 'ink';
import { OWN_PANES } from '../../kernel/sdk/ui/names.ts';
import { LogPane, PluginsPane, TrafficPane } from '../components/DiagnosticsPanes.tsx';
import { Line } from '../components/Line.tsx';
import { OffNotice } from '../components/OffNotice.tsx';
import { PaneNames } from '../components/PaneNames.tsx';
import { PeersPane } from '../components/PeersPane.tsx';
import { ActivityPane, ContributedPane } from '../components/RowsPane.tsx';
import type { Figure } from '../store/figures.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';

const OWN: Readonly<Record<(typeof OWN_PANES)[number], typeof PeersPane>> = {
  Peers: PeersPane,
  Activity: ActivityPane,
  Plugins: PluginsPane,
  Traffic: TrafficPane,
  Log: LogPane,
};

const FIGURES_A_ROW = 4;
/** A screen with fewer lines than this shows one row of figures, and keeps the rest for the pane. */
const WHOLE_SUMMARY_ROWS = 14;

/** Figures of the node in a grid, then one pane of details (UI-19). */
export function DiagnosticsScreen({ session, area }: ScreenProps) {
  useStore(session.contributions.state, (all) => all);
  useStore(session.diagnostics.panes.state, (panes) => panes.titles);
  const { rows: figures } = useStore(session.diagnostics.figures.state, (all) => all);
  const state = useStore(session.diagnostics.state, (all) => all);
  const paused = useStore(session.diagnostics.lines.state, (lines) => lines.paused);
  const isWhole = area.rows >= WHOLE_SUMMARY_ROWS;
  const shown = isWhole ? figures : figures.slice(0, 1);
  const { off, titles } = session.diagnostics;
  const headRows = shown.length + (isWhole ? 1 : 0) + 1 + (off === undefined ? 0 : 1);
  const paneArea = { columns: area.columns, rows: Math.max(1, area.rows - headRows) };
  const own = OWN_PANES.find((title) => title === state.pane);
  const Own = own === undefined ? undefined : OWN[own];
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      {shown.map((row) => (
        <FigureRow key={row.map(([label]) => label).join(' ')} figures={row} columns={area.columns} />
      ))}
      {isWhole ? <Line /> : null}
      <PaneNames state={state} titles={titles} paused={paused} columns={area.columns} />
      {off === undefined ? null : <OffNotice plugin={off} keeps={false} />}
      {Own === undefined ? (
        <ContributedPane session={session} area={paneArea} title={state.pane} />
      ) : (
        <Own session={session} area={paneArea} />
      )}
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
