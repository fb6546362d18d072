import { definePoint, defineToken } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { outcomeReader } from './contract.ts';
import type { LookupStep } from './contract.ts';

export type { AddressHint, LookupStep, StepCall, StepOutcome } from './contract.ts';

export interface LookupService {
  /**
   * Where the reporters of a node in N2 or N3 say that it is, at most 8 addresses, without dialling any:
   * none that must not be dialled on their word. `[]` when none tells, or too many are being located.
   *
   * @throws the signal's reason
   */
  locate(nodeId: NodeId, options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
}

export const LOOKUP = defineToken<LookupService>('lookup');

/**
 * One way to find a node (KNOW-06). The contribution's name is the step's, by which `peer explain` shows it
 * and requests choose it; `after` and `before` give its place. In order of their cost there are `social-cache`,
 * `peers-table`, `ask-n2-reporter`, `ask-n3-chain`, `preferred-peers`, `profile-anchors` and `worm-search`.
 */
export const LOOKUP_STEP = definePoint<LookupStep>('lookup/step', {
  limit: 16,
  answers: { find: outcomeReader },
  check: (candidate) => {
    if (typeof candidate !== 'object' || candidate === null) return 'it is not an object';
    const { find, limitMs } = candidate as Partial<LookupStep>;
    if (typeof find !== 'function') return 'find() is missing';
    return typeof limitMs === 'number' && limitMs > 0 ? undefined : 'limitMs is no number of milliseconds';
  },
});
