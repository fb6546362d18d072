import type { NodeId } from '../../../kernel/index.ts';

/**
 * Places in the order of KNOW-06, with NPT-07 before the search of strangers. 1 to 3 are built in; plugins
 * offer the others with `offerStep`.
 */
export const STEP_ORDER = {
  'social-cache': 0,
  'peers-table': 1,
  'ask-n2-reporter': 2,
  'ask-n3-chain': 3,
  'preferred-peers': 3.5,
  /** ANCH-15. It has no number of its own in KNOW-06. */
  'profile-anchors': 3.75,
  'worm-search': 4,
  introduction: 5,
  'session-relay': 6,
} as const;
export type StepName = keyof typeof STEP_ORDER;

/** Where a node may be, and on whose word. */
export interface AddressHint {
  readonly addresses: readonly string[];
  readonly toldBy: NodeId;
}

/** What one step came to. */
export type StepOutcome =
  /** The node is connected now; mesh waits for its exchange. */
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
   * Nodes that prefer it, so that any of them knows where it is (NPT-07). Mesh finds the nearest by the
   * steps 1 to 3 and asks it.
   */
  | { readonly kind: 'through'; readonly nodes: readonly NodeId[] }
  /**
   * Peers that may know where the node is, reporters of it or not; mesh asks them. Those of them that the
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

/** One way to find a node, by its place in the cascade. What it throws counts as nothing found. */
export interface CascadeStep {
  readonly name: StepName;
  /** The step is given up after this long; the cascade goes on. */
  readonly limitMs: number;
  find(target: NodeId, call: StepCall): Promise<StepOutcome>;
}
