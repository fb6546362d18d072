import { Box, Text } from 'ink';
import { Line } from '../components/Line.tsx';
import { List } from '../components/List.tsx';
import type { SettingsRow } from '../store/settings.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { pad, truncate, wrap } from '../wrap.ts';

const KEY_COLUMNS = 26;
/** A connect string with several addresses takes more than one line; nothing here takes more than this. */
const VALUE_LINES_MAX = 4;

/** Profile, identity and configuration. */
export function SettingsScreen({ session, area }: ScreenProps) {
  const selected = useStore(session.settings.state, (state) => state.selected);
  useStore(session.settings.state, (state) => state.config);
  useStore(session.node.state, (state) => state);
  useStore(session.contributions.state, (state) => state.actions);
  const rows = session.settings.rows();
  const current = rows[selected];
  const space = Math.max(10, area.columns - KEY_COLUMNS - 6);
  const linesOf = (row: SettingsRow) => wrap(row.value === '' ? '–' : row.value, space, VALUE_LINES_MAX).lines;
  const startsSection = (row: SettingsRow, index: number) => row.section !== rows[index - 1]?.section;
  const verb =
    current?.section === 'Actions'
      ? 'enter does it'
      : current?.editable === true
        ? 'enter changes it, y copies it'
        : 'enter or y copies it';
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      <List
        session={session}
        items={rows}
        selected={selected}
        rows={area.rows - 2}
        heightOf={(row, index) => linesOf(row).length + (startsSection(row, index) ? (index === 0 ? 1 : 2) : 0)}
        keyOf={(row) => `${row.section} ${row.key}`}
      >
        {(row, isSelected, index) => (
          <>
            {startsSection(row, index) && index > 0 ? <Line /> : null}
            {startsSection(row, index) ? <Text color={THEME.dim}>{`  ${row.section}`}</Text> : null}
            {linesOf(row).map((line, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
              <Line key={at}>
                <Text color={THEME.accent}>{isSelected ? '▌ ' : '  '}</Text>
                <Text color={THEME.dim}>{pad(at === 0 ? row.key : '', KEY_COLUMNS)}</Text>
                {` ${line}`}
              </Line>
            ))}
          </>
        )}
      </List>
      <Line />
      <Line>
        <Text color={THEME.dim}>
          {current === undefined ? '' : truncate(`  ${current.about} · ${verb}`, area.columns - 1)}
        </Text>
      </Line>
    </Box>
  );
}
