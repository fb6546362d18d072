import { defineRequest, defineNotice, NodeIdSchema, Type } from '../../../kernel/index.ts';
import type { Static } from '../../../kernel/index.ts';

const NPlus10 = Type.Array(NodeIdSchema, { maxItems: 11 });

export const PreferQuestion = Type.Object({
  /** `cancel` ends an agreement and is always agreed to. */
  want: Type.Union([Type.Literal('prefer'), Type.Literal('cancel')]),
  /** Preferred slots the sender has free. */
  free_slots: Type.Integer({ minimum: 0, maximum: 1_000 }),
  nplus10: NPlus10,
  reason: Type.Optional(Type.String({ maxLength: 64 })),
});
export type PreferQuestion = Static<typeof PreferQuestion>;

export const PreferAnswer = Type.Object({
  agreed: Type.Boolean(),
  /** `full`, `not-willing`, `not-in-mesh`. */
  reason: Type.Optional(Type.String({ maxLength: 64 })),
  nplus10: NPlus10,
});
export type PreferAnswer = Static<typeof PreferAnswer>;

export const meshPrefer = defineRequest({
  code: 0xb3,
  name: 'MeshPrefer',
  about: 'Preferred-peer negotiation',
  body: PreferQuestion,
  maxBytes: 2_048,
  deadlineMs: 5_000,
  // Asked a few times a day; a cancellation may follow at once.
  budget: { perSecond: 0.1, burst: 6, inFlight: 1 },
  response: { code: 0xb3, name: 'MeshPrefer', body: PreferAnswer, maxBytes: 2_048 },
});

export const nplus10Notice = defineNotice({
  name: 'itsgoin/nplus10@1',
  about: 'To preferred peers: who is preferred by the sender now',
  body: Type.Object({ nplus10: NPlus10 }),
  maxBytes: 1_024,
  // Ten agreements may be made in one rebalance.
  budget: { perSecond: 0.2, burst: 20, inFlight: 2 },
});
