import { contribute } from '../../kernel/index.ts';
import type { Contributed } from '../../kernel/index.ts';
import type { AddressService } from './address-service.ts';
import { LOOKUP_STEP } from './api.ts';
import type { LookupStep } from './contract.ts';
import type { LookupWorld } from './world.ts';

const ASK_LIMIT_MS = 5_000;

/** The ways to find a node by what this node knows itself: steps 1 to 3 of KNOW-06. */
export function knownSteps(world: LookupWorld, addresses: AddressService): readonly Contributed[] {
  const stored: LookupStep = {
    limitMs: ASK_LIMIT_MS,
    find: async (target) =>
      world.addresses(target).length > 0 ? { kind: 'known' } : { kind: 'nothing', reason: 'no address is stored' },
  };
  const ask = (hops: 0 | 1, layer: 'n2Reporters' | 'n3Reporters'): LookupStep => ({
    limitMs: ASK_LIMIT_MS,
    find: async (target, { signal }) => {
      const reporters = world.routing.reach(target)[layer];
      if (reporters.length === 0)
        return { kind: 'nothing', reason: `no peer reports it in ${hops === 0 ? 'N2' : 'N3'}` };
      const { found, reasons } = await addresses.ask(target, reporters, hops, signal);
      return found.length > 0 ? { kind: 'told', found } : { kind: 'nothing', reason: reasons.join('; ') };
    },
  });
  return [
    contribute(LOOKUP_STEP, stored, { name: 'peers-table' }),
    contribute(LOOKUP_STEP, ask(0, 'n2Reporters'), { name: 'ask-n2-reporter', after: ['peers-table'] }),
    contribute(LOOKUP_STEP, ask(1, 'n3Reporters'), { name: 'ask-n3-chain', after: ['ask-n2-reporter'] }),
  ];
}
