import type { LookupStep } from '../lookup/api.ts';
import { WORM_PURPOSE } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import { WORM_TOTAL_MS } from './search-world.ts';
import type { Searcher } from './searcher.ts';

/** Time for a preferred peer that was found to tell where the target is. */
const FURTHER_HOP_MS = 2_000;

/** The last resort of a lookup: what nobody around knows is searched for. */
export function wormStep(searcher: Searcher, neighbours: Neighbours): LookupStep {
  return {
    limitMs: WORM_TOTAL_MS + FURTHER_HOP_MS,
    find: async (target, { signal, purpose }) => {
      if (purpose === WORM_PURPOSE) return nothing('no search within a search');
      const { found, holder, cost } = await searcher.find({ kind: 'node', id: target }, { signal, beyondN3: true });
      if (!found) return nothing(`asked ${cost.relayHops}, and none knows it`);
      if (holder !== target) await neighbours.connectByKnowledge(target, signal);
      return { kind: 'connected' };
    },
  };
}

function nothing(reason: string): { kind: 'nothing'; reason: string } {
  return { kind: 'nothing', reason };
}
