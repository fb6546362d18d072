import { NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import type { PeersConfig } from './config.ts';

export const peersNeeds = { network: NETWORK } as const;

export type PeersPluginContext = PluginContext<PeersConfig, typeof peersNeeds>;

/** What the parts of peers share: the generation's context and the kernel's endpoint. */
export interface PeersContext {
  readonly ctx: PeersPluginContext;
  readonly network: Network;
}
