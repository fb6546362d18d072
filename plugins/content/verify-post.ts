import { canonicalJson, checkProofAsync, hexToBytes, isFuture } from '../../kernel/index.ts';
import type { RecordRefusal, VerifyOptions } from '../../kernel/index.ts';
import { postIdOf } from './post-id.ts';
import { POST_MAX_BYTES, POST_SIGNATURE_DOMAIN, readSyncPost } from './post.ts';
import type { SyncPost } from './post.ts';

/** Why a post is not taken. */
export type PostRefusal = RecordRefusal | 'unsupported-visibility' | 'bad-id';

/**
 * The one check of every post that comes from outside, whichever way it came: form, time, id and
 * signature, cheapest first. `skip` is asked between the form and what costs. Never throws.
 */
export async function verifyPost<Skip extends string = never>(
  value: unknown,
  { nowMs, skip }: VerifyOptions<SyncPost, Skip>,
): Promise<{ readonly post: SyncPost } | { readonly refused: PostRefusal | Skip }> {
  const post = readSyncPost(value);
  if (typeof post === 'string') return { refused: post };
  const skipped = skip?.(post);
  if (skipped !== undefined) return { refused: skipped };
  const { author, timestamp_ms: timestampMs } = post.post;
  if (isFuture(timestampMs, nowMs)) return { refused: 'future' };
  const body = canonicalOf(post);
  if (body === undefined) return { refused: 'malformed' };
  const bytes = Buffer.from(body);
  if (bytes.length > POST_MAX_BYTES) return { refused: 'too-large' };
  if (postIdOf(bytes) !== post.id) return { refused: 'bad-id' };
  const claim = { author, domain: POST_SIGNATURE_DOMAIN, bytes: hexToBytes(post.id), timestampMs };
  const refused = await checkProofAsync(claim, post);
  return refused === undefined ? { post } : { refused };
}

function canonicalOf({ post }: SyncPost): string | undefined {
  try {
    return canonicalJson(post);
  } catch {
    // RFC 8785 has no form for it, so nobody can have computed an id over it.
    return undefined;
  }
}
