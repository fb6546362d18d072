import { Box, Text } from 'ink';
import { ConnectionsPane, LogPane, PluginsPane, TrafficPane } from '../components/DiagnosticsPanes.tsx';
import { Line } from '../components/Line.tsx';
import { bytes, count, duration } from '../format.ts';
import { PANES, type Pane } from '../store/diagnostics.ts';
import { useStore } from '../store/store.ts';
import type { ScreenProps } from '../tabs.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';

const PANE_OF: Readonly<Record<Pane, typeof ConnectionsPane>> = {
  Connections: ConnectionsPane,
  Plugins: PluginsPane,
  Traffic: TrafficPane,
  Log: LogPane,
};

/** Lines above the pane: grid, breakdown, free line, pane names. */
const HEAD_ROWS = 5;

/** Figures of the node in a grid, then one pane of details (UI-19). */
export function DiagnosticsScreen({ session, area }: ScreenProps) {
  const node = useStore(session.node.state, (state) => state);
  const { pane, connections, plugins, traffic, paused, loading } = useStore(
    session.diagnostics.state,
    (state) => state,
  );
  const cell = Math.max(13, Math.floor((area.columns - 4) / 5));
  const grid: [string, string][] = [
    ['up', duration(node.uptimeMs)],
    ['peers', count(node.peers)],
    ['posts', count(node.posts)],
    ['memory', bytes(node.rssBytes)],
    ['port', node.port === undefined ? '–' : String(node.port)],
  ];
  const sizes: Partial<Record<Pane, number>> = { Connections: connections.length, Plugins: plugins.length };
  const Pane = PANE_OF[pane];
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      <Line>
        {'  '}
        {grid.map(([label, value]) => (
          <Text key={label}>
            <Text color={THEME.dim}>{`${label} `}</Text>
            <Text bold>{pad(value, Math.max(value.length, cell - label.length - 1))}</Text>
          </Text>
        ))}
      </Line>
      <Line>
        <Text color={THEME.dim}>{`  in `}</Text>
        {`${count(traffic.framesIn)} frames ${bytes(traffic.bytesIn)}`}
        <Text color={THEME.dim}>{`   out `}</Text>
        {`${count(traffic.framesOut)} frames ${bytes(traffic.bytesOut)}`}
        <Text color={THEME.dim}>{`   links `}</Text>
        {breakdown(connections.map(({ kind }) => kind))}
      </Line>
      <Line />
      <Line>
        {'  '}
        {PANES.map((name) => (
          <Text
            key={name}
            bold={name === pane}
            color={name === pane ? THEME.accent : THEME.dim}
            underline={name === pane}
          >
            {name + (sizes[name] === undefined ? '' : ` ${sizes[name]}`)}
          </Text>
        )).flatMap((label, index) => (index === 0 ? [label] : ['   ', label]))}
        <Text color={THEME.warn}>{loading ? '   reading …' : paused ? '   held still, p lets it run' : ''}</Text>
      </Line>
      <Line />
      <Pane session={session} area={{ columns: area.columns, rows: area.rows - HEAD_ROWS }} />
    </Box>
  );
}

/** `2 direct, 1 lan`. */
function breakdown(kinds: readonly string[]): string {
  const sizes = new Map<string, number>();
  for (const kind of kinds) sizes.set(kind, (sizes.get(kind) ?? 0) + 1);
  return [...sizes].map(([kind, size]) => `${size} ${kind}`).join(', ') || 'none';
}
