import { defineNotice, defineRequest, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Addresses of the alternative in a RefuseRedirect. */
export const ALTERNATIVE_ADDRESSES_MAX = 4;

export const RefuseRedirectBody = Type.Object({
  /** A mesh peer of the sender; none when it has no other. */
  alternative: Type.Optional(NodeIdSchema),
  addresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: ALTERNATIVE_ADDRESSES_MAX }),
});
export type RefuseRedirectBody = Static<typeof RefuseRedirectBody>;

export const refuseRedirect = defineNotice({
  code: 0x05,
  name: 'RefuseRedirect',
  about: 'Refuse a mesh slot and suggest another peer',
  body: RefuseRedirectBody,
  maxBytes: 512,
  // One for each handshake that asked for a slot.
  budget: { perSecond: 1, burst: 8, inFlight: 1 },
});

export const HandoverQuestion = Type.Object({
  /** Who needs a slot, and where it is. */
  newcomer: NodeIdSchema,
  addresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: ALTERNATIVE_ADDRESSES_MAX }),
});
export type HandoverQuestion = Static<typeof HandoverQuestion>;
export const HandoverAnswer = Type.Object({ agreed: Type.Boolean() });
export type HandoverAnswer = Static<typeof HandoverAnswer>;

export const slotHandover = defineRequest({
  name: 'itsgoin/slot-handover@1',
  about: 'Two full mesh peers give up the connection between them, each for one to a newcomer',
  body: HandoverQuestion,
  maxBytes: 1_024,
  deadlineMs: 2_000,
  // Agreed to at most once a connection.
  budget: { perSecond: 0.2, burst: 4, inFlight: 1 },
  response: { body: HandoverAnswer, maxBytes: 256 },
});
