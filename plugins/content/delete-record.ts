import type { PostId } from './post-id.ts';
import type { NodeId } from '../../kernel/index.ts';
import { canonicalJson } from './canonical-json.ts';
import { isHex, isRecord } from './post.ts';

/** Separates delete signatures from all others made with the same key. */
export const DELETE_SIGNATURE_DOMAIN = 'itsgoin/delete/v1';

/** The author's word that a post is gone (DEL-01). Whoever holds it never takes the post again. */
export interface DeleteRecord {
  readonly post_id: PostId;
  readonly author: NodeId;
  readonly timestamp_ms: number;
  /** Ed25519 by `author`, 128 hex characters; see {@link deleteSignatureBytes}. */
  readonly signature: string;
}

/** Why a delete record has no effect; each is counted as `delete-refused:<reason>`. */
export type DeleteRefusal = 'malformed' | 'future' | 'irrelevant' | 'not-author' | 'bad-signature';

const SIGNATURE_HEX = /^[0-9a-f]{128}$/;

/** What the author signs under DELETE_SIGNATURE_DOMAIN: RFC 8785 JSON of the record without its signature. */
export function deleteSignatureBytes(record: Omit<DeleteRecord, 'signature'>): Uint8Array {
  const { post_id, author, timestamp_ms } = record;
  return Buffer.from(canonicalJson({ author, post_id, timestamp_ms }));
}

/** Checks the form of a record from outside; the signature is not checked here. */
export function readDeleteRecord(value: unknown): DeleteRecord | undefined {
  if (!isRecord(value) || !isHex(value.post_id) || !isHex(value.author)) return undefined;
  const { post_id, author, timestamp_ms, signature } = value;
  if (!Number.isSafeInteger(timestamp_ms) || (timestamp_ms as number) <= 0) return undefined;
  if (typeof signature !== 'string' || !SIGNATURE_HEX.test(signature)) return undefined;
  return { post_id, author, timestamp_ms, signature } as DeleteRecord;
}
