import { NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';

export const lookupNeeds = { network: NETWORK, peers: PEERS, routing: { optional: ROUTING } } as const;

// biome-ignore lint/complexity/noBannedTypes: lookup has no settings
export type LookupPluginContext = PluginContext<{}, typeof lookupNeeds>;

/** What the parts of lookup share: the generation's context and the kernel's endpoint. */
export interface LookupContext {
  readonly ctx: LookupPluginContext;
  readonly network: Network;
}
