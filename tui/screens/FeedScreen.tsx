import { Box, Text } from 'ink';
import { COMPOSE_PLACEHOLDER } from '../components/Compose.tsx';
import { PostListView } from '../components/PostListView.tsx';
import { textOf } from '../store/editor.ts';
import { useStore } from '../use-store.ts';
import type { ScreenProps } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { truncate } from '../wrap.ts';

const EMPTY = 'Nothing here yet. Press n to write your first post, or go to People (3) to connect and follow somebody.';

/** Posts of everyone you follow and your own, newest first. */
export function FeedScreen({ session, area }: ScreenProps) {
  const draft = useStore(session.shell.state, (state) => state.draft);
  const writing = useStore(session.shell.state, (state) => state.overlays.some(({ kind }) => kind === 'compose'));
  const list = { columns: area.columns, rows: area.rows - (writing ? 0 : 2) };
  const kept = textOf(draft).replaceAll('\n', ' ');
  return (
    <Box flexDirection="column">
      {writing ? null : (
        <Box height={2} flexShrink={0}>
          <Text wrap="truncate-end">
            <Text color={THEME.accent}>{'  ✎ '}</Text>
            <Text color={THEME.dim}>
              {kept === '' ? COMPOSE_PLACEHOLDER : `draft: ${truncate(kept, area.columns - 14)}`}
            </Text>
          </Text>
        </Box>
      )}
      <PostListView session={session} posts={session.feed} area={list} empty={EMPTY} />
    </Box>
  );
}
