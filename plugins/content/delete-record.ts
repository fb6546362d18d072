import { defineRecord, NodeIdSchema } from '../../kernel/index.ts';
import type { RecordRefusal, Static } from '../../kernel/index.ts';
import { PostIdSchema } from './post-id.ts';

/** Of the signed fields; those known take 200, the rest is for fields of later versions. */
const DELETE_MAX_BYTES = 512;

/** The author's word that a post is gone (DEL-01). Whoever holds it never takes the post again. */
export const deleteRecords = defineRecord({
  domain: 'itsgoin/delete/v1',
  fields: { post_id: PostIdSchema, author: NodeIdSchema },
  maxBytes: DELETE_MAX_BYTES,
  author: ({ author }) => author,
  isSound: ({ timestamp_ms }) => timestamp_ms > 0,
});
export type DeleteRecord = Readonly<Static<typeof deleteRecords.body>>;

/** Why a delete record has no effect; each is counted as `delete-refused:<reason>`. */
export type DeleteRefusal = RecordRefusal | 'irrelevant' | 'not-author';
