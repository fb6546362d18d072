import test from 'ava';
import { testNode } from '../rig/nodes.ts';

interface FeedPage {
  readonly posts: readonly { id: string; author: string; text: string }[];
}

test('a post reaches a follower over QUIC within a second, with nothing but a connect string', async (t) => {
  const author = await testNode(t);
  const reader = await testNode(t);
  await reader.run('follow.add', { target: author.connectString });
  const arrived = reader.nextEvent('content/post-stored');
  const startedMs = performance.now();
  const { id } = await author.run<{ id: string }>('post.create', { text: 'first light' });
  await arrived;
  const { posts } = await reader.run<FeedPage>('feed.list', {});
  t.true(performance.now() - startedMs < 1_000);
  t.like(posts[0], { id, author: author.nodeId, text: 'first light' });
});
