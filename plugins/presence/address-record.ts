import { defineRecord, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Addresses a node tells of itself; a hostile one can make us dial no more than these. */
export const ADDRESSES_MAX = 8;
/** The node and its ten preferred peers (NPT-01). */
export const NPLUS10_MAX = 11;
/** Preferred peers and theirs: ten and ten each (NPT-08). */
export const PREFERRED_TREE_MAX = 110;
/** Of the signed fields; those known take 1.5 KiB, and a check-in may carry 17 records. */
const ADDRESS_RECORD_MAX_BYTES = 2 * 1024;

/**
 * Where a node says it can be reached, and by which preferred peers. Signed by it, because others pass
 * it on: who relays a record can withhold it, but neither invent nor change one.
 */
export const addressRecords = defineRecord({
  domain: 'itsgoin/address/v1',
  fields: {
    node_id: NodeIdSchema,
    /** `host:port` texts, best first, public ones only: a record leaves the LAN. */
    addresses: Type.Array(Type.String({ minLength: 3, maxLength: 80 }), { maxItems: ADDRESSES_MAX }),
    /** The node first, then its preferred peers, each once. */
    nplus10: Type.Array(NodeIdSchema, { minItems: 1, maxItems: NPLUS10_MAX }),
  },
  maxBytes: ADDRESS_RECORD_MAX_BYTES,
  author: ({ node_id }) => node_id,
  isSound: ({ node_id, nplus10 }) => nplus10[0] === node_id && new Set(nplus10).size === nplus10.length,
});
export type AddressRecord = Static<typeof addressRecords.body>;
