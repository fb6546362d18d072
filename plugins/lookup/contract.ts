import { answerOf, NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/** Where a node may be, and on whose word. */
export interface AddressHint {
  readonly addresses: readonly string[];
  readonly toldBy: NodeId;
}

/** What one step came to. */
export type StepOutcome =
  /** The node is connected now; its handshake is waited for. */
  | { readonly kind: 'connected' }
  /** It was a peer before: it is dialled where it was, and where it said that it is. */
  | { readonly kind: 'known' }
  /**
   * Where the node may be. It is dialled there, but for what must not be dialled on the word of `toldBy` (its
   * remote address decides), and what was dialled too often.
   */
  | ({ readonly kind: 'addresses' } & AddressHint)
  /** The same from several at once. */
  | { readonly kind: 'told'; readonly found: readonly AddressHint[] }
  /**
   * Nodes that prefer it, so that any of them knows where it is (NPT-07). The nearest is found by what is
   * known of it, and asked.
   */
  | { readonly kind: 'through'; readonly nodes: readonly NodeId[] }
  /**
   * Peers that may know where the node is, reporters of it or not; they are asked. Those of them that the
   * step has `opened` sessions to for this alone are left again when the search is over.
   */
  | { readonly kind: 'ask'; readonly peers: readonly NodeId[]; readonly opened?: readonly NodeId[] }
  /** Nothing found; `reason` in words for `peer explain`. */
  | { readonly kind: 'nothing'; readonly reason: string };

export interface StepCall {
  /** Aborts when the caller gives up or the step's own limit passes. */
  readonly signal: AbortSignal;
  /** Why the node is wanted: `growth`, `post-fetch`, ... */
  readonly purpose: string;
}

/** One way to find a node. What it throws counts as nothing found. */
export interface LookupStep {
  /** The step is given up after this long, 30 s at most; the search goes on. */
  readonly limitMs: number;
  find(target: NodeId, call: StepCall): Promise<StepOutcome>;
}

const Hint = Type.Object({ addresses: Type.Array(Type.String()), toldBy: NodeIdSchema });
/** What a step of another plugin may answer. */
export const outcomeReader = answerOf<StepOutcome>(
  Type.Union([
    Type.Object({ kind: Type.Literal('connected') }),
    Type.Object({ kind: Type.Literal('known') }),
    Type.Object({ kind: Type.Literal('addresses'), ...Hint.properties }),
    Type.Object({ kind: Type.Literal('told'), found: Type.Array(Hint) }),
    Type.Object({ kind: Type.Literal('through'), nodes: Type.Array(NodeIdSchema) }),
    Type.Object({
      kind: Type.Literal('ask'),
      peers: Type.Array(NodeIdSchema),
      opened: Type.Optional(Type.Array(NodeIdSchema)),
    }),
    Type.Object({ kind: Type.Literal('nothing'), reason: Type.String() }),
  ]),
);
