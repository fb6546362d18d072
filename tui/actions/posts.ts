import { shortId } from '../format.ts';
import type { UiSession } from '../session.ts';
import { currentTab } from '../tabs.ts';
import type { Post } from '../store/post.ts';
import { toggleFollow } from './people.ts';

function selectedPost(session: UiSession): Post | undefined {
  return currentTab(session).posts?.(session).selected;
}

export function openSelectedPost(session: UiSession): void {
  const post = selectedPost(session);
  if (post === undefined) return;
  session.shell.open({
    kind: 'post',
    id: post.id,
    list: currentTab(session).id === 'mine' ? 'mine' : 'feed',
    scroll: 0,
  });
}

function confirmDelete(session: UiSession, post: Post | undefined): void {
  const { shell, node, backend } = session;
  if (post === undefined) return;
  if (post.author !== node.state.get().nodeId) {
    shell.tell('Only your own posts can be deleted', 'plain');
    return;
  }
  shell.open({
    kind: 'confirm',
    question: 'Delete this post everywhere?',
    detail: `"${post.text.split('\n')[0]?.slice(0, 60)}" – whoever holds a copy is told to delete it. This cannot be undone.`,
    yes: async () => {
      await backend.call('post.delete', { id: post.id });
      shell.state.set({
        overlays: shell.state.get().overlays.filter((one) => one.kind !== 'post' || one.id !== post.id),
      });
      session.feed.remove(post.id);
      session.mine.remove(post.id);
      shell.tell('Deleted');
    },
  });
}

export const postActions = {
  'delete-post': (session: UiSession) => confirmDelete(session, selectedPost(session)),
  'delete-open-post': (session: UiSession) => {
    const top = session.shell.top;
    if (top?.kind === 'post') confirmDelete(session, session[top.list].find(top.id));
  },
  'follow-author': async (session: UiSession) => {
    const post = selectedPost(session);
    if (post === undefined) return;
    const followed = session.people.find(post.author)?.followed ?? false;
    await toggleFollow(session, post.author, post.authorName ?? shortId(post.author), followed);
  },
};
