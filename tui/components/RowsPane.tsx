import { Text } from 'ink';
import { timeOfDay } from '../format.ts';
import { colorOf } from '../identicon.ts';
import type { Session } from '../session.ts';
import { stopAt, type Row, type Tone } from '../store/rows.ts';
import { useStore } from '../store/store.ts';
import type { Area, ScreenProps } from '../tabs.ts';
import { THEME } from '../theme.ts';
import { pad } from '../wrap.ts';
import { Bar } from './Bar.tsx';
import { keyOfLine } from './DiagnosticsPanes.tsx';
import { Line } from './Line.tsx';
import { List } from './List.tsx';
import { Nothing } from './Nothing.tsx';

/** The longest are `bootstrap` and `isolation`. */
const TAG_COLUMNS = 9;

const TONES: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  good: THEME.good,
  warn: THEME.warn,
  bad: THEME.bad,
  dim: THEME.dim,
};

/** How the mesh grows, what is searched for, and when anchors were asked. */
export function GrowthPane({ session, area }: ScreenProps) {
  const rows = useStore(session.diagnostics.state, (state) => state.growth);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.Growth);
  return <Rows session={session} area={area} rows={rows} selected={selected} empty="Nothing read yet." />;
}

/** What happened of late, newest first, with nodes that enter opens (UI-16). */
export function ActivityPane({ session, area }: ScreenProps) {
  const rows = useStore(session.diagnostics.state, (state) => state.activity);
  const selected = useStore(session.diagnostics.state, (state) => state.selected.Activity);
  return <Rows session={session} area={area} rows={rows} selected={selected} empty="Nothing happened yet." />;
}

interface RowsProps {
  readonly session: Session;
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
  return (
    <List session={session} items={rows} selected={stop.row} rows={area.rows} heightOf={() => 1} keyOf={keyOfLine}>
      {(row, isSelected) => (
        <Line>
          <Bar shown={isSelected} />
          {row.parts.length === 0 ? (
            <Text bold>{row.tag}</Text>
          ) : (
            <>
              <Text color={THEME.dim}>{pad(row.atMs === undefined ? '' : timeOfDay(row.atMs), 8)}</Text>
              <Text color={THEME.dim}>{`  ${pad(row.tag, TAG_COLUMNS)}  `}</Text>
              <Parts session={session} row={row} pointed={isSelected ? stop.part : undefined} />
            </>
          )}
        </Line>
      )}
    </List>
  );
}

interface PartsProps {
  readonly session: Session;
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
