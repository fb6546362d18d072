import { defineRequest, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Addresses in one answer. */
export const ADDRESSES_TOLD_MAX = 8;

export const AddressQuestion = Type.Object({
  target: NodeIdSchema,
  /** How often the question may be passed on: 0 to who has the target in N1, 1 to who has it in N2. */
  hops: Type.Integer({ minimum: 0, maximum: 1 }),
});
export type AddressQuestion = Static<typeof AddressQuestion>;

export const AddressAnswer = Type.Object({
  /** False when the target is not in the N1 of whoever was asked last. */
  known: Type.Boolean(),
  addresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: ADDRESSES_TOLD_MAX }),
});
export type AddressAnswer = Static<typeof AddressAnswer>;

export const addressRequest = defineRequest({
  code: 0x03,
  name: 'AddressRequest',
  about: 'Resolve a NodeId to an address via its reporter',
  body: AddressQuestion,
  maxBytes: 256,
  deadlineMs: 5_000,
  // A growing peer asks for each candidate, a few at a time.
  budget: { perSecond: 2, burst: 40, inFlight: 8 },
  response: { code: 0x04, name: 'AddressResponse', body: AddressAnswer, maxBytes: 1_024 },
});
