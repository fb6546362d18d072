import { Box, Text } from 'ink';
import type { UiSession } from '../session.ts';
import type { PostList } from '../store/post-list.ts';
import { useStore } from '../use-store.ts';
import type { Area } from '../screen-props.ts';
import { THEME } from '../theme.ts';
import { List } from './List.tsx';
import { OffNotice } from './OffNotice.tsx';
import { PostCard, cardHeight } from './PostCard.tsx';

export interface PostListViewProps {
  readonly session: UiSession;
  readonly posts: PostList;
  readonly area: Area;
  /** What stands where there is no post yet. */
  readonly empty: string;
}

/** Posts as cards, with what stands in their place when there are none. */
export function PostListView({ session, posts, area, empty }: PostListViewProps) {
  const { selected, fresh, filter, phase, off, posts: all } = useStore(posts.state, (state) => state);
  const nowMs = useStore(session.node.state, (state) => state.nowMs);
  const self = useStore(session.node.state, (state) => state.nodeId);
  const ownName = useStore(session.node.state, (state) => state.name);
  const people = useStore(session.people.state, (state) => state.people);
  const visible = posts.visible();
  const above = [
    off === undefined ? undefined : <OffNotice key="off" plugin={off} />,
    filter === '' ? undefined : (
      <Text
        key="filter"
        color={THEME.warn}
      >{`  filter "${filter}"  ${visible.length} of ${all.length} read posts`}</Text>
    ),
    fresh === 0 ? undefined : (
      <Text key="fresh" color={THEME.good}>{`  ↑ ${fresh} new ${fresh === 1 ? 'post' : 'posts'}  g shows them`}</Text>
    ),
  ].filter((line) => line !== undefined);
  if (visible.length === 0) {
    const text =
      off !== undefined ? '' : phase === 'first' ? 'Reading …' : filter === '' ? empty : 'No post has these words.';
    return (
      <Box flexDirection="column" height={area.rows} overflow="hidden">
        {above}
        <Box paddingX={2} paddingY={1}>
          <Text color={THEME.dim}>{text}</Text>
        </Box>
      </Box>
    );
  }
  const nameOf = (author: string) => people.find((person) => person.nodeId === author)?.name;
  return (
    <Box flexDirection="column" height={area.rows} overflow="hidden">
      {above}
      <List
        session={session}
        items={visible}
        selected={selected}
        rows={area.rows - above.length}
        heightOf={(post) => cardHeight(post, area.columns)}
        keyOf={(post) => post.id}
      >
        {(post, isSelected) => (
          <PostCard
            post={post}
            name={post.authorName ?? (post.author === self ? ownName || undefined : nameOf(post.author))}
            own={post.author === self}
            isSelected={isSelected}
            columns={area.columns}
            nowMs={nowMs}
          />
        )}
      </List>
    </Box>
  );
}
