import { defineNotice, defineRequest, DeviceIdSchema, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** Version of what the handshake means. Additions are features; only a break raises it. */
export const PROTOCOL_VERSION = 1;
/** The oldest version we still understand. */
export const PROTOCOL_MIN = 1;

const Address = Type.String({ maxLength: 300 });
const Features = Type.Array(Type.String({ minLength: 1, maxLength: 80 }), { maxItems: 512 });
const Parts = Type.Record(Type.String(), Type.Unknown(), { maxProperties: 16 });
const Revision = Type.Integer({ minimum: 0 });

/** One side of the handshake; request and response are alike. */
export const Hello = Type.Object({
  protocol: Type.Integer({ minimum: 0, maximum: 65_535 }),
  node_id: NodeIdSchema,
  device_id: DeviceIdSchema,
  features: Features,
  /** Counts changes of `features` since the start of the process. */
  features_revision: Revision,
  /** The node and its preferred peers, at most ten of them. */
  nplus10: Type.Array(NodeIdSchema, { maxItems: 11 }),
  nat_type: Type.String({ maxLength: 16 }),
  addresses: Type.Array(Address, { maxItems: 16 }),
  your_observed_addr: Address,
  /** A request: the sender wants a mesh slot (MESH-05). One without it wants one, as before there was a choice. */
  wants_slot: Type.Optional(Type.Boolean()),
  /**
   * With `wants_slot`. `slots`: the sender has less than nine in ten of its own, so that others in need may
   * be sent to it. `room`: it finds only full nodes besides, so that two of them may make room for it.
   */
  need: Type.Optional(Type.Union([Type.Literal('slots'), Type.Literal('room')])),
  /** An answer to `wants_slot`. One without it grants. */
  slot: Type.Optional(Type.Union([Type.Literal('granted'), Type.Literal('refused')])),
  sections: Parts,
});
export type Hello = Static<typeof Hello>;

/** Its parts carry all delete records (DEL-03), 200 bytes each: room for about 20,000. */
const HANDSHAKE_MAX_BYTES = 4 * 1024 * 1024;

export const initialExchange = defineRequest({
  code: 0x02,
  name: 'InitialExchange',
  about: 'Full state exchange on connect: version, features, addresses and the parts of other plugins',
  body: Hello,
  maxBytes: HANDSHAKE_MAX_BYTES,
  // Once a connection, and again when peers of either side was swapped in the middle of it.
  budget: { perSecond: 2, burst: 8, inFlight: 2 },
  response: { code: 0x02, name: 'InitialExchange', body: Hello, maxBytes: HANDSHAKE_MAX_BYTES },
});

export const meshKeepalive = defineNotice({
  code: 0xe0,
  name: 'MeshKeepalive',
  about: 'Heartbeat on mesh connections, every 30 s from both sides',
  body: Type.Object({}),
  maxBytes: 64,
  deadlineMs: 5_000,
  // One in 30 s, or in 1 s at the shortest setting.
  budget: { perSecond: 2, burst: 4, inFlight: 1 },
});

export const featuresNotice = defineNotice({
  name: 'itsgoin/features@1',
  about: 'What this node offers changed while connected',
  body: Type.Object({ features: Features, revision: Revision }),
  maxBytes: 64 * 1024,
  budget: { perSecond: 5, burst: 50, inFlight: 2 },
});

export const sectionsNotice = defineNotice({
  name: 'itsgoin/sections@1',
  about: 'Parts of the handshake whose plugin was enabled after it, on either side',
  body: Type.Object({ sections: Parts }),
  maxBytes: HANDSHAKE_MAX_BYTES,
  budget: { perSecond: 2, burst: 32, inFlight: 2 },
});
