import { isPostId } from './post-id.ts';
import type { PostId } from './post-id.ts';
import { isHexId, carriesProof } from '../../kernel/index.ts';
import type { NodeId, Proof } from '../../kernel/index.ts';

/** UTF-8 bytes of a post's text. */
export const TEXT_MAX_BYTES = 64 * 1024;
/** Canonical bytes of a whole post; above TEXT_MAX_BYTES by what escapes, attachments and unknown fields may take. */
export const POST_MAX_BYTES = 128 * 1024;
/** Attachments of one post (BLOB-04). */
export const ATTACHMENTS_MAX = 4;
/** Bytes that one attachment may say it has (BLOB-03). */
const ATTACHMENT_MAX_BYTES = 10 * 1024 * 1024;
/** NPT-01: the author's id and those of ten preferred peers. */
const NPLUS10_MAX = 11;
/** Separates post signatures from all others made with the same key. */
export const POST_SIGNATURE_DOMAIN = 'itsgoin/post/v1';

export interface Attachment {
  readonly cid: string;
  readonly mime: string;
  readonly size: number;
  readonly name: string;
}

/**
 * What the author wrote and signed; never changes. Fields this version does not know are kept, hashed
 * and served with the rest, so that newer posts pass through older nodes unharmed.
 */
export interface Post {
  readonly author: NodeId;
  readonly timestamp_ms: number;
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly kind: string;
  readonly reply_to?: PostId;
  readonly repost_of?: PostId;
  readonly nplus10: readonly NodeId[];
}

/** Who may read a post. It is apart from the post because it may change while the post cannot. */
export type Visibility = { readonly kind: 'public' };

/**
 * A post as it travels and as PostFetchResponse calls it. The signature covers POST_SIGNATURE_DOMAIN and the
 * 32 bytes of `id`.
 */
export interface SyncPost extends Readonly<Proof> {
  readonly id: PostId;
  readonly post: Post;
  readonly visibility: Visibility;
}

const KIND = /^[a-z][a-z0-9-]{0,31}$/;

/** Checks the form of a post from outside; its id and signature are not checked here. */
export function readSyncPost(value: unknown): SyncPost | 'malformed' | 'too-large' | 'unsupported-visibility' {
  if (!isRecord(value) || !isPostId(value.id) || !isRecord(value.post) || !isRecord(value.visibility))
    return 'malformed';
  if (!carriesProof(value) || typeof value.visibility.kind !== 'string') return 'malformed';
  const refusal = checkPost(value.post);
  if (refusal !== undefined) return refusal;
  if (value.visibility.kind !== 'public') return 'unsupported-visibility';
  return value as unknown as SyncPost;
}

/** The rules every post obeys, our own included. `undefined` when all are kept. */
export function checkPost(post: Readonly<Record<string, unknown>>): 'malformed' | 'too-large' | undefined {
  const { author, timestamp_ms, content, attachments, kind, reply_to, repost_of, nplus10 } = post;
  if (!isHex(author) || typeof content !== 'string' || typeof kind !== 'string' || !KIND.test(kind)) return 'malformed';
  if (!Number.isSafeInteger(timestamp_ms) || (timestamp_ms as number) <= 0) return 'malformed';
  if (content.length > TEXT_MAX_BYTES || Buffer.byteLength(content) > TEXT_MAX_BYTES) return 'too-large';
  if (reply_to !== undefined && !isHex(reply_to)) return 'malformed';
  if (repost_of !== undefined && !isHex(repost_of)) return 'malformed';
  if (!Array.isArray(nplus10) || nplus10.length > NPLUS10_MAX || !nplus10.every(isHex)) return 'malformed';
  if (!Array.isArray(attachments) || !attachments.every(isAttachment)) return 'malformed';
  return attachments.length > ATTACHMENTS_MAX ? 'too-large' : undefined;
}

function isAttachment(value: unknown): value is Attachment {
  if (!isRecord(value) || !isHex(value.cid)) return false;
  const { mime, name, size } = value;
  if (typeof mime !== 'string' || mime.length > 127 || typeof name !== 'string' || name.length > 255) return false;
  return Number.isSafeInteger(size) && (size as number) >= 0 && (size as number) <= ATTACHMENT_MAX_BYTES;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && isHexId(value);
}
