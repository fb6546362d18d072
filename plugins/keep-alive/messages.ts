import { defineRequest, NodeIdSchema, Type } from '../../kernel/index.ts';

/** Addresses a redirect may name. */
export const REDIRECT_ADDRESSES_MAX = 4;

export const keepAliveRequest = defineRequest({
  name: 'itsgoin/keep-alive@1',
  about: 'Asks for a long-lived session outside the mesh near a node, or gives it up; a full node names another one',
  body: Type.Object({
    /** Whom the asker wants to stay able to find; the asked node itself or one that has it as preferred peer. */
    target: NodeIdSchema,
    keep: Type.Boolean(),
  }),
  maxBytes: 256,
  // One for each needed node whose N+10 names this one, seldom.
  budget: { perSecond: 0.2, burst: 20, inFlight: 2 },
  response: {
    body: Type.Object({
      accepted: Type.Boolean(),
      redirect: Type.Optional(
        Type.Object({
          node_id: NodeIdSchema,
          addresses: Type.Array(Type.String({ minLength: 3, maxLength: 80 }), { maxItems: REDIRECT_ADDRESSES_MAX }),
        }),
      ),
    }),
    maxBytes: 1_024,
  },
});
