import type { PostId } from './post-id.ts';
import { blake3Hex, hexToBytes, verifySignatureAsync } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { postFetch } from './api.ts';
import type { ContentContext } from './context.ts';
import { canonicalPost, POST_MAX_BYTES, POST_SIGNATURE_DOMAIN, readSyncPost } from './post.ts';
import type { SyncPost } from './post.ts';

/**
 * Gets one post by its id from a connected node that is said to hold it (WORM-10, WORM-11): no
 * follow is needed, and nothing is stored. `undefined` when the node does not have it, or gives
 * what is not that post; a forgery is counted.
 *
 * @throws wire/*, the signal's reason
 */
export async function fetchPost(
  ctx: Pick<ContentContext, 'send' | 'counters'>,
  id: PostId,
  holder: NodeId,
  signal: AbortSignal | undefined,
): Promise<SyncPost | undefined> {
  const answer = await ctx.send(holder, postFetch, { post_id: id }, signal === undefined ? {} : { signal });
  if (!answer.found) return undefined;
  const post = await proven(answer.post, id);
  if (post === undefined) ctx.counters.add('post-refused:fetched-forgery');
  return post;
}

async function proven(value: unknown, id: PostId): Promise<SyncPost | undefined> {
  const read = readSyncPost(value);
  if (typeof read === 'string' || read.id !== id) return undefined;
  let canonical: string;
  try {
    canonical = canonicalPost(read.post);
  } catch {
    // RFC 8785 has no form for it, so nobody can have computed an id over it.
    return undefined;
  }
  const bytes = Buffer.from(canonical);
  if (bytes.length > POST_MAX_BYTES || blake3Hex(bytes) !== id) return undefined;
  const { author } = read.post;
  const signed = await verifySignatureAsync(author, POST_SIGNATURE_DOMAIN, hexToBytes(id), hexToBytes(read.signature));
  return signed ? read : undefined;
}
