import type { CascadeStep } from '../mesh/api.ts';
import type { MeshDoor } from './mesh-door.ts';
import { WORM_PURPOSE } from './mesh-door.ts';
import { WORM_TOTAL_MS } from './search-world.ts';
import type { Searcher } from './searcher.ts';

/** Time for a preferred peer that was found to tell where the target is. */
const FURTHER_HOP_MS = 2_000;

/** Step 4 of the cascade: what mesh could not find by what it knows is searched for. */
export function cascadeStep(searcher: Searcher, mesh: MeshDoor): CascadeStep {
  return {
    name: 'worm-search',
    limitMs: WORM_TOTAL_MS + FURTHER_HOP_MS,
    find: async (target, { signal, purpose }) => {
      if (purpose === WORM_PURPOSE) return nothing('no search within a search');
      const { found, holder, cost } = await searcher.find({ kind: 'node', id: target }, { signal, beyondN3: true });
      if (!found) return nothing(`asked ${cost.relayHops}, and none knows it`);
      if (holder !== target) await mesh.connectByKnowledge(target, signal);
      return { kind: 'connected' };
    },
  };
}

function nothing(reason: string): { kind: 'nothing'; reason: string } {
  return { kind: 'nothing', reason };
}
