import { postIdOf } from './post-id.ts';
import type { PostId } from './post-id.ts';
import { canonicalJson, hexToBytes, prove } from '../../kernel/index.ts';
import type { NodeId, Signer } from '../../kernel/index.ts';
import { deleteRecords } from './delete-record.ts';
import type { DeleteRecord } from './delete-record.ts';
import { contentErrors } from './errors.ts';
import { checkPost, POST_MAX_BYTES, POST_SIGNATURE_DOMAIN, TEXT_MAX_BYTES } from './post.ts';
import type { Post, SyncPost } from './post.ts';

/**
 * Makes a signed public post of a text. `nplus10` are the author and its preferred peers of now (NPT-04).
 * @throws content/bad-post with the reason in words
 */
export function composePost(signer: Signer, text: string, nowMs: number, nplus10: readonly NodeId[]): SyncPost {
  const refuse = (reason: string) => contentErrors.make('bad-post', { reason });
  if (text.trim() === '') throw refuse('it is empty');
  if (!text.isWellFormed()) throw refuse('its text is not valid Unicode');
  const post: Post = {
    author: signer.self.nodeId,
    timestamp_ms: nowMs,
    content: text,
    attachments: [],
    kind: 'post',
    nplus10: [...nplus10],
  };
  if (checkPost({ ...post }) !== undefined) throw refuse(`its text is longer than ${TEXT_MAX_BYTES} bytes`);
  const bytes = Buffer.from(canonicalJson(post));
  if (bytes.length > POST_MAX_BYTES) throw refuse(`its text takes more than ${POST_MAX_BYTES} bytes when escaped`);
  const id = postIdOf(bytes);
  const proof = prove(signer, POST_SIGNATURE_DOMAIN, hexToBytes(id));
  return { id, post, ...proof, visibility: { kind: 'public' } };
}

/** Makes the signed record that deletes a post of ours. */
export function composeDelete(signer: Signer, id: PostId, nowMs: number): DeleteRecord {
  return deleteRecords.sign(signer, { post_id: id, author: signer.self.nodeId, timestamp_ms: nowMs });
}
