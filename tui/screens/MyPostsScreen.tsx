import { PostListView } from '../components/PostListView.tsx';
import type { ScreenProps } from '../screen-props.ts';

/** What you published, newest first. */
export function MyPostsScreen({ session, area }: ScreenProps) {
  return (
    <PostListView
      session={session}
      posts={session.mine}
      area={area}
      empty="You have not published anything yet. Press n to write."
    />
  );
}
