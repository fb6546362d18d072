import { defineRequest, hexSchema, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';
import { FINDINGS_MAX } from './search-world.ts';

/** Target and its preferred peers (WORM-01). */
export const NEEDLES_MAX = 11;
const Addresses = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 4 });

/** A node that has, or is, what was asked for. */
export const Holder = Type.Object({
  id: NodeIdSchema,
  addresses: Addresses,
  /** Who can introduce the asker, nearest to the holder first. */
  via: Type.Array(NodeIdSchema, { maxItems: 2 }),
});
export type Holder = Static<typeof Holder>;

export const wormQuery = defineRequest({
  code: 0x60,
  name: 'WormQuery',
  about: 'Asks who is or holds what lies beyond N3; with ttl 1 the answering node asks its mesh peers too',
  body: Type.Object({
    /** Random, the same at every node that is asked in one search (WORM-09). */
    search_id: hexSchema(16),
    needles: Type.Array(NodeIdSchema, { maxItems: NEEDLES_MAX }),
    post_id: Type.Optional(hexSchema(32)),
    blob_id: Type.Optional(hexSchema(32)),
    /** 0 or 1: there is no second nova (WORM-04). */
    ttl: Type.Integer({ minimum: 0, maximum: 1 }),
    /** The asking node wants a referral; a relaying one has no use for it. */
    refer: Type.Optional(Type.Boolean()),
  }),
  maxBytes: 2_048,
  deadlineMs: 1_500,
  // A query costs us 50 µs; what ttl 1 costs is limited by the relay's own budget besides.
  budget: { perSecond: 40, burst: 120, inFlight: 8 },
  response: {
    code: 0x61,
    name: 'WormResponse',
    body: Type.Object({
      node: Type.Optional(Holder),
      post_holder: Type.Optional(Holder),
      blob_holder: Type.Optional(Holder),
      /** Others that were named; the first may be a lie of somebody we asked. */
      more: Type.Optional(
        Type.Array(
          Type.Object({
            kind: Type.Union([Type.Literal('node'), Type.Literal('post'), Type.Literal('blob')]),
            holder: Holder,
          }),
          { maxItems: FINDINGS_MAX - 1 },
        ),
      ),
      /** A random node of the answering node's N2. */
      referral: Type.Optional(Type.Object({ id: NodeIdSchema, addresses: Addresses })),
      /** Queries sent on for this one. */
      relayed: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
    }),
    maxBytes: 8_192,
  },
});
