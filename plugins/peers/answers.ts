import { NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';

/** What a handshake says of mesh slots: it belongs to who gives out mesh slots. */
export const SlotFields = Type.Object({
  /** NPT-01: the node and its preferred peers, at most 11 ids. */
  nplus10: Type.Array(NodeIdSchema, { maxItems: 11 }),
  /** A request: the sender wants a slot (MESH-05). */
  wants_slot: Type.Optional(Type.Union([Type.Boolean(), Type.Undefined()])),
  /** `slots`: it has less than nine in ten of its own. `room`: it finds only full nodes besides. */
  need: Type.Optional(Type.Union([Type.Literal('slots'), Type.Literal('room'), Type.Undefined()])),
  /** The answer to `wants_slot`. */
  slot: Type.Optional(Type.Union([Type.Literal('granted'), Type.Literal('refused'), Type.Undefined()])),
});
export type SlotFields = Readonly<Omit<Static<typeof SlotFields>, 'nplus10'>> & { readonly nplus10: readonly NodeId[] };

/** The badge of a node: it holds a mesh slot, or else its layer. */
export const ReachBadge = Type.Union([
  Type.Literal('mesh'),
  Type.Literal('n1'),
  Type.Literal('n2'),
  Type.Literal('n3'),
  Type.Literal('none'),
]);
export type ReachBadge = Static<typeof ReachBadge>;

/** What other plugins know of a node that `peer list` and `peer explain` show. */
export const PeerFacts = Type.Object({
  /** `preferred`, `non-preferred` or `none`. */
  slot: Type.Optional(Type.String()),
  reach: Type.Optional(ReachBadge),
  display_name: Type.Optional(Type.Union([Type.String(), Type.Undefined()])),
});
export type PeerFacts = Static<typeof PeerFacts>;

/** One search for a node by its id, with each step that was tried. */
export const SearchRecord = Type.Object({
  at_ms: Type.Integer(),
  took_ms: Type.Integer(),
  purpose: Type.String(),
  /** The name of the step that led to the node, `unreachable`, or `gave-up`. */
  result: Type.String(),
  steps: Type.Array(
    Type.Object({
      step: Type.String(),
      took_ms: Type.Integer(),
      /** `connected`, `skipped`, `nothing` or `dial-failed`. */
      result: Type.String(),
      /** The rule or error that decided, in words. */
      reason: Type.String(),
    }),
  ),
});
export type SearchRecord = Static<typeof SearchRecord>;
