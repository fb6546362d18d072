import { defineNotice, defineRequest, NodeIdSchema, Type } from '../../kernel/index.ts';
import { addressRecords, PREFERRED_TREE_MAX } from './address-record.ts';

/** The sender's preferred peers and theirs, on its word (NPT-08). */
const PreferredTree = Type.Optional(Type.Array(NodeIdSchema, { maxItems: PREFERRED_TREE_MAX }));
/** Contacts one check-in may ask about. */
export const ASKS_MAX = 16;

export const socialAddressUpdate = defineNotice({
  code: 0x70,
  name: 'SocialAddressUpdate',
  about: 'A contact changed address or preferred peers, or is back; the record is signed by it, whoever sends it',
  body: Type.Object({
    record: addressRecords.body,
    /** The sender is connected to it. */
    online: Type.Boolean(),
  }),
  maxBytes: 8 * 1024,
  // A peer that watches 256 contacts for us may see them all come back at once.
  budget: { perSecond: 1, burst: 300, inFlight: 4 },
});

export const socialDisconnectNotice = defineNotice({
  code: 0x71,
  name: 'SocialDisconnectNotice',
  about: 'A contact that the receiver asked about left the sender',
  body: Type.Object({ node_id: NodeIdSchema }),
  maxBytes: 256,
  budget: { perSecond: 1, burst: 300, inFlight: 4 },
});

export const socialCheckin = defineRequest({
  code: 0x72,
  name: 'SocialCheckin',
  about: 'Sign of life between contacts, with addresses, N+10 and questions about contacts that are away',
  body: Type.Object({
    record: addressRecords.body,
    /** The asker becomes a watcher of these. */
    asks: Type.Array(NodeIdSchema, { maxItems: ASKS_MAX }),
    preferred_tree: PreferredTree,
  }),
  maxBytes: 16 * 1024,
  // One in 1 to 3 hours, and questions about contacts that share this preferred peer.
  budget: { perSecond: 0.1, burst: 12, inFlight: 2 },
  response: {
    code: 0x72,
    name: 'SocialCheckin',
    body: Type.Object({
      record: addressRecords.body,
      answers: Type.Array(
        Type.Object({ node_id: NodeIdSchema, online: Type.Boolean(), record: Type.Optional(addressRecords.body) }),
        { maxItems: ASKS_MAX },
      ),
      preferred_tree: PreferredTree,
    }),
    maxBytes: 64 * 1024,
  },
});
