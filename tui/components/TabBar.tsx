import { Box, Text } from 'ink';
import type { UiSession } from '../session.ts';
import { useStore } from '../use-store.ts';
import { TABS, tabOf } from '../tabs.ts';
import { THEME } from '../theme.ts';
import { Line } from './Line.tsx';

/** The tabs and, under them, a rule that is bright below the current one. Two lines. */
export function TabBar({ session, columns }: { readonly session: UiSession; readonly columns: number }) {
  const { id } = tabOf(useStore(session.shell.state, (state) => state.tab));
  const current = TABS.findIndex((tab) => tab.id === id);
  const labels = TABS.map((tab, index) => ` ${index + 1} ${tab.title} `);
  const before = labels.slice(0, current).join('').length + 1;
  const width = labels[current]?.length ?? 0;
  return (
    <Box flexDirection="column" width={columns} height={2} flexShrink={0} overflow="hidden">
      <Line>
        {' '}
        {labels.map((label, index) =>
          index === current ? (
            <Text key={label} bold color={THEME.accent}>
              {label}
            </Text>
          ) : (
            <Text key={label} color={THEME.dim}>
              {label}
            </Text>
          ),
        )}
      </Line>
      <Line>
        <Text color={THEME.faint}>{'─'.repeat(before)}</Text>
        <Text color={THEME.accent}>{'━'.repeat(width)}</Text>
        <Text color={THEME.faint}>{'─'.repeat(Math.max(0, columns - before - width))}</Text>
      </Line>
    </Box>
  );
}
