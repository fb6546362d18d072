import { blake3Hex, bytesToHex, idSchema, isHexId, parseHexId } from '../../kernel/index.ts';
import { contentErrors } from './errors.ts';

/** BLAKE3 of a post's canonical bytes, 64 lower-case hex characters. */
export type PostId = string & { readonly __brand: 'PostId' };

export const PostIdSchema = idSchema<PostId>();

export function isPostId(value: unknown): value is PostId {
  return typeof value === 'string' && isHexId(value);
}

export function postIdOf(canonicalBytes: Uint8Array): PostId {
  return blake3Hex(canonicalBytes) as PostId;
}

export function postIdFromBytes(bytes: Uint8Array): PostId {
  return bytesToHex(bytes) as PostId;
}

/** A post id as a person typed or pasted it. @throws content/bad-post-id */
export function readPostId(text: string): PostId {
  const id = parseHexId(text);
  if (id === undefined) throw contentErrors.make('bad-post-id', { text: text.slice(0, 80) });
  return id as PostId;
}
