import { Box, Text } from 'ink';
import { timeOfDay } from '../format.ts';
import { colorOf } from '../identicon.ts';
import type { UiSession } from '../session.ts';
import { rowText, stopAt, type Row, type Tone } from '../store/rows.ts';
import { useStore } from '../use-store.ts';
import type { Area, ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { pad, wrap } from '../wrap.ts';
import { Bar } from './Bar.tsx';
import { keyOfLine } from './DiagnosticsPanes.tsx';
import { Line } from './Line.tsx';
import { List } from './List.tsx';
import { Nothing } from './Nothing.tsx';
import { TableRow } from './TableRow.tsx';

/** The longest are `bootstrap` and `isolation`. */
const TAG_COLUMNS = 9;
const TIME_COLUMNS = 8;
/** The mark, the time and the tag, with the spaces between. */
const LEAD_COLUMNS = 2 + TIME_COLUMNS + 2 + TAG_COLUMNS + 2;
const SELECTED_LINES_MAX = 4;
const NO_ROWS: readonly Row[] = [];

const TONES: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  good: THEME.good,
  warn: THEME.warn,
  bad: THEME.bad,
  dim: THEME.dim,
};

/** The pane of this title that plugins contribute. */
export function ContributedPane({ session, area, title }: ScreenProps & { readonly title: string }) {
  const rows = useStore(session.diagnostics.panes.state, (state) => state.rows.get(title) ?? NO_ROWS);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get(title) ?? 0);
  return <Rows session={session} area={area} rows={rows} selected={selected} empty="Its plugin is gone." />;
}

/** What happened of late, newest first, with nodes that enter opens (UI-16). */
export function ActivityPane({ session, area }: ScreenProps) {
  const rows = useStore(session.diagnostics.lines.state, (state) => state.activity);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.get('Activity') ?? 0);
  return <Rows session={session} area={area} rows={rows} selected={selected} empty="Nothing happened yet." />;
}

interface RowsProps {
  readonly session: UiSession;
  readonly area: Area;
  readonly rows: readonly Row[];
  readonly selected: number;
  readonly empty: string;
}

function Rows({ session, area, rows, selected, empty }: RowsProps) {
  useStore(session.people.state, (state) => state.people);
  useStore(session.diagnostics.state, (state) => state.peers);
  if (rows.length === 0) return <Nothing text={empty} />;
  const stop = stopAt(rows, selected);
  const space = area.columns - LEAD_COLUMNS - 1;
  // The line under the cursor shows all it says.
  const heightOf = (row: Row, index: number) =>
    row.cells === undefined && index === stop.row
      ? Math.max(1, wrap(rowText(row, session.nameOf), space, SELECTED_LINES_MAX).lines.length)
      : 1;
  return (
    <List session={session} items={rows} selected={stop.row} rows={area.rows} heightOf={heightOf} keyOf={keyOfLine}>
      {(row, isSelected, index) =>
        row.cells !== undefined ? (
          <TableRow
            {...{ session, row, isSelected, cells: row.cells, columns: area.columns }}
            pointed={isSelected ? stop.part : undefined}
          />
        ) : (
          <Box height={heightOf(row, index)}>
            <Lead row={row} isSelected={isSelected} />
            {row.parts.length === 0 ? null : (
              <Box width={space} flexShrink={0}>
                <Text wrap={isSelected ? 'wrap' : 'truncate-end'}>
                  <Parts session={session} row={row} pointed={isSelected ? stop.part : undefined} />
                </Text>
              </Box>
            )}
          </Box>
        )
      }
    </List>
  );
}

function Lead({ row, isSelected }: { readonly row: Row; readonly isSelected: boolean }) {
  return (
    <Box flexShrink={0}>
      <Line>
        <Bar shown={isSelected} />
        {row.parts.length === 0 ? (
          <Text bold>{row.tag}</Text>
        ) : (
          <Text color={THEME.dim}>
            {`${pad(row.atMs === undefined ? '' : timeOfDay(row.atMs), TIME_COLUMNS)}  ${pad(row.tag, TAG_COLUMNS)}  `}
          </Text>
        )}
      </Line>
    </Box>
  );
}

interface PartsProps {
  readonly session: UiSession;
  readonly row: Row;
  /** The part the cursor is at. */
  readonly pointed: number | undefined;
}

function Parts({ session, row, pointed }: PartsProps) {
  const tone = TONES[row.tone];
  return row.parts.map((part, index) =>
    typeof part === 'string' ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
      <Text key={index} {...(tone === undefined ? {} : { color: tone })}>
        {part}
      </Text>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
      <Text key={index} bold underline inverse={index === pointed} color={colorOf(part.nodeId)}>
        {session.nameOf(part.nodeId)}
      </Text>
    ),
  );
}
