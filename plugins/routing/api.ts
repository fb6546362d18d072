import { definePoint, defineToken, defineTopic, listOf, NodeIdSchema } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { N1Source, RoutingView } from './contract.ts';

export type { Candidate, Layer, N1Source, Reach, Verdict } from './contract.ts';
export { candidateScore } from './score.ts';

/** What this node knows of the neighbourhood: N1 from its connections, N2 and N3 from what peers share. */
export type RoutingService = RoutingView;

export const ROUTING = defineToken<RoutingService>('routing');

/** Ids that one contribution names; the rest is left out, and so is what is no id. */
const NAMED_MAX = 2_000;

/** Names nodes that belong to our N1 share besides connections: contacts, or an anchor for a while (KNOW-01, CYC-11). */
export const N1_SHARE = definePoint<N1Source>('routing/n1-share', {
  limit: 16,
  answers: listOf(NodeIdSchema, NAMED_MAX),
});

/** Lists of a peer were taken in. Most diffs are no news. */
export const listsTaken = defineTopic<{ readonly reporter: NodeId; readonly isNews: boolean }>('routing/lists-taken');
