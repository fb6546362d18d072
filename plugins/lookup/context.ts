import { NETWORK } from '../../kernel/index.ts';
import type { Network, NoSettings, PluginContext } from '../../kernel/index.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';

export const lookupNeeds = { network: NETWORK, peers: PEERS, routing: { optional: ROUTING } } as const;

export type LookupPluginContext = PluginContext<NoSettings, typeof lookupNeeds>;

/** What the parts of lookup share: the generation's context and the kernel's endpoint. */
export interface LookupContext {
  readonly ctx: LookupPluginContext;
  readonly network: Network;
}
