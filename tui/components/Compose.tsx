import { Box, Text } from 'ink';
import type { UiSession } from '../session.ts';
import { useStore } from '../use-store.ts';
import { THEME } from '../theme.ts';
import { TextField, fieldRows } from './TextField.tsx';

export const COMPOSE_PLACEHOLDER = "How's it goin?";
/** Border, padding and the space kept at the right. */
const FRAME_COLUMNS = 6;

/** Lines the compose box takes, with its frame; grows with the text up to a half of the screen. */
export function composeRows(session: UiSession, columns: number, rows: number): number {
  const text = fieldRows(session.shell.state.get().draft, columns - FRAME_COLUMNS);
  return Math.min(Math.max(3, text), Math.max(3, Math.floor(rows / 2) - 2)) + 2;
}

export function Compose({
  session,
  columns,
  rows,
}: {
  readonly session: UiSession;
  readonly columns: number;
  readonly rows: number;
}) {
  const draft = useStore(session.shell.state, (state) => state.draft);
  const publishing = useStore(session.shell.state, (state) => state.publishing);
  return (
    <Box
      width={columns}
      height={rows}
      flexShrink={0}
      borderStyle="round"
      borderColor={THEME.accent}
      paddingX={1}
      flexDirection="column"
      overflow="hidden"
    >
      {publishing ? (
        <Text color={THEME.dim}>Publishing …</Text>
      ) : (
        <TextField editor={draft} columns={columns - FRAME_COLUMNS} rows={rows - 2} placeholder={COMPOSE_PLACEHOLDER} />
      )}
    </Box>
  );
}
