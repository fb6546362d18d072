import type { Clock, NodeId } from '../../kernel/index.ts';
import { postFetch } from './api.ts';
import type { ContentContext } from './context.ts';
import type { PostId } from './post-id.ts';
import type { SyncPost } from './post.ts';
import { verifyPost } from './verify-post.ts';

/**
 * Gets one post by its id from a connected node that is said to hold it (WORM-10, WORM-11): no
 * follow is needed, and nothing is stored. `undefined` when the node does not have it, or returns
 * what is not that post, which is counted as `fetched-post-refused:<reason>`.
 *
 * @throws wire/*, the signal's reason
 */
export async function fetchPost(
  ctx: Pick<ContentContext, 'send' | 'counters'> & { readonly clock: Pick<Clock, 'now'> },
  id: PostId,
  holder: NodeId,
  signal: AbortSignal | undefined,
): Promise<SyncPost | undefined> {
  const answer = await ctx.send(holder, postFetch, { post_id: id }, signal === undefined ? {} : { signal });
  if (!answer.found) return undefined;
  const verified = await verifyPost(answer.post, {
    nowMs: ctx.clock.now(),
    skip: (claimed) => (claimed.id === id ? undefined : 'unrequested'),
  });
  if (!('refused' in verified)) return verified.post;
  ctx.counters.add(`fetched-post-refused:${verified.refused}`);
  return undefined;
}
