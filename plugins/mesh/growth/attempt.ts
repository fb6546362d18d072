import type { NodeId } from '../../../kernel/index.ts';
import type { Lead } from '../api.ts';

/** A node to try now. */
export interface Attempt {
  readonly nodeId: NodeId;
  readonly why: 'candidate' | 'offered' | 'redirect';
  readonly score: number;
  /** Where it may be, on the word of `from`; without it a lookup finds it. */
  readonly lead?: Lead;
  /** Redirects that led here. */
  readonly redirects: number;
}

/** `refused`: it is there and has no slot for us. */
export type GrowthOutcome = 'joined' | 'refused' | 'unreachable';
