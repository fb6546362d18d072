import { NETWORK } from '../../kernel/index.ts';
import type { Network, NoSettings, PluginContext } from '../../kernel/index.ts';
import { PEERS } from '../peers/api.ts';

export const routingNeeds = { network: NETWORK, peers: PEERS } as const;

export type RoutingPluginContext = PluginContext<NoSettings, typeof routingNeeds>;

/** What the parts of routing share: the generation's context and the kernel's endpoint. */
export interface RoutingContext {
  readonly ctx: RoutingPluginContext;
  readonly network: Network;
}
