import { bind, contribute, definePlugin, untilAborted } from '../../kernel/index.ts';
import { PEER_FACTS, PEER_FINDER } from '../peers/api.ts';
import { AddressService } from './address-service.ts';
import { LOOKUP, LOOKUP_STEP } from './api.ts';
import { lookupNeeds } from './context.ts';
import { knownSteps } from './known-steps.ts';
import { addressRequest } from './messages.ts';
import { PeerLookup } from './peer-lookup.ts';
import { lookupWorld } from './world.ts';

export default definePlugin({
  name: 'lookup',
  version: '1.0.0',
  kernel: '^1',
  about: 'Finds a node by its id, by one way after the other',
  inject: lookupNeeds,
  provides: [LOOKUP],
  points: [LOOKUP_STEP],
  messages: { addressRequest },
  setup(ctx) {
    const lookup = { ctx, network: ctx.deps.network };
    const world = lookupWorld(lookup);
    const addresses = new AddressService(lookup, world);
    const finder = new PeerLookup(lookup, world, addresses);
    return {
      services: [
        bind(LOOKUP, { locate: (nodeId, { signal }) => untilAborted(addresses.locate(nodeId, signal), signal) }),
      ],
      contributes: [
        contribute(PEER_FINDER, { find: (nodeId, options) => finder.connect(nodeId, options) }),
        contribute(PEER_FACTS, { facts: () => ({}), searches: (nodeId) => finder.history.get(nodeId) }),
        ...knownSteps(world, addresses),
      ],
      handlers: { addressRequest: (question, call) => addresses.answer(question, call) },
      diagnostics: () => ({ searching: finder.running }),
    };
  },
});
