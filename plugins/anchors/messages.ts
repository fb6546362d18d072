import { defineRequest, defineNotice, hexSchema, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** ANCHOR_PROBE_TIMEOUT: the witness's cold connect (ANCH-08). */
export const PROBE_DIAL_MS = 15_000;
/** The handshake with the candidate, and word of it on the connection that proves it. */
export const PROBE_WORD_MS = 5_000;
/** The dial, and the way from witness to reporter and from reporter to candidate. */
const PROBE_DEADLINE_MS = PROBE_DIAL_MS + 10_000;

const Address = Type.String({ minLength: 3, maxLength: 64 });
const Addresses = Type.Array(Address, { maxItems: 8 });

/** A node and where it may be dialled. */
export const Referral = Type.Object({ node_id: NodeIdSchema, addresses: Addresses });
export type Referral = Static<typeof Referral>;

/** More than an anchor hands out at once; a longer list is refused whole. */
export const REFERRALS_TAKEN_MAX = 16;

export const anchorRegister = defineNotice({
  code: 0xc0,
  name: 'AnchorRegister',
  about: 'Put me on your referral list: I look for peers',
  body: Type.Object({
    addresses: Addresses,
    /** The node and its preferred peers (NPT-02). */
    nplus10: Type.Optional(Type.Array(NodeIdSchema, { maxItems: 11 })),
  }),
  maxBytes: 4 * 1024,
  // Once a bootstrap or recovery.
  budget: { perSecond: 0.1, burst: 4, inFlight: 1 },
});

export const referralRequest = defineRequest({
  code: 0xc1,
  name: 'AnchorReferralRequest',
  about: 'Ask for nodes that look for peers too',
  body: Type.Object({}),
  maxBytes: 1024,
  budget: { perSecond: 0.1, burst: 4, inFlight: 1 },
  response: {
    code: 0xc2,
    name: 'AnchorReferralResponse',
    body: Type.Object({ referrals: Type.Array(Referral, { maxItems: REFERRALS_TAKEN_MAX }) }),
    maxBytes: 32 * 1024,
  },
});

/** Ours: the other half of a match. Without it only one side would dial, which a firewall stops (ANCH-23). */
export const anchorMatch = defineNotice({
  name: 'itsgoin/anchor-match@1',
  about: 'A node that asked for referrals was given yours: it may be dialled at these addresses',
  body: Referral,
  maxBytes: 4 * 1024,
  budget: { perSecond: 1, burst: 12, inFlight: 2 },
});

export const ProbeRequest = Type.Object({
  /** Told back in the result, so that nobody can answer what was not asked. */
  probe_id: hexSchema(16),
  candidate: NodeIdSchema,
  target_addr: Address,
  witness: NodeIdSchema,
  /** The reporter between the two, for the way back of a failure. */
  return_via: NodeIdSchema,
});
export type ProbeRequest = Static<typeof ProbeRequest>;

export const ProbeResult = Type.Object({
  probe_id: hexSchema(16),
  /** `not-tested`: the witness or the reporter would not or could not, which says nothing of the candidate. */
  outcome: Type.Union([Type.Literal('reachable'), Type.Literal('unreachable'), Type.Literal('not-tested')]),
  reason: Type.String({ maxLength: 64 }),
});
export type ProbeResult = Static<typeof ProbeResult>;

export const probeRequest = defineRequest({
  code: 0xc3,
  name: 'AnchorProbeRequest',
  about: 'Have a stranger dial me cold: candidate to reporter, reporter to witness',
  body: ProbeRequest,
  maxBytes: 4 * 1024,
  deadlineMs: PROBE_DEADLINE_MS,
  budget: { perSecond: 0.05, burst: 4, inFlight: 2 },
  response: { code: 0xc4, name: 'AnchorProbeResult', body: ProbeResult, maxBytes: 1024 },
});

export const probeResult = defineRequest({
  code: 0xc4,
  name: 'AnchorProbeResult',
  about: 'The witness reached the candidate: told on the very connection that proves it',
  body: ProbeResult,
  maxBytes: 1024,
  budget: { perSecond: 0.2, burst: 4, inFlight: 1 },
  response: { code: 0xc4, name: 'AnchorProbeResult', body: ProbeResult, maxBytes: 1024 },
});

/** What a node tells its peers of anchors: in the part `anchor` of the handshake, and in a notice when it changes. */
export const AnchorTalk = Type.Object({
  is_anchor: Type.Boolean(),
  /** Where this node can be dialled for good, the bind address first (CONN-22); empty when it is no anchor. */
  addresses: Addresses,
  /** Other anchors it was connected to of late. */
  anchors: Type.Array(Referral, { maxItems: 8 }),
});
export type AnchorTalk = Static<typeof AnchorTalk>;

export const anchorTalk = defineNotice({
  name: 'itsgoin/anchor@1',
  about: 'Whether this node is an anchor, and which others it knows, has changed',
  body: AnchorTalk,
  maxBytes: 16 * 1024,
  budget: { perSecond: 0.2, burst: 6, inFlight: 1 },
});
