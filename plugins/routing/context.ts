import { NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import { PEERS } from '../peers/api.ts';

export const routingNeeds = { network: NETWORK, peers: PEERS } as const;

// biome-ignore lint/complexity/noBannedTypes: routing has no settings
export type RoutingPluginContext = PluginContext<{}, typeof routingNeeds>;

/** What the parts of routing share: the generation's context and the kernel's endpoint. */
export interface RoutingContext {
  readonly ctx: RoutingPluginContext;
  readonly network: Network;
}
