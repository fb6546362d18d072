import { NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';
import type { MeshConfig } from './config.ts';

export const meshNeeds = { network: NETWORK, peers: PEERS, routing: ROUTING } as const;

export type MeshPluginContext = PluginContext<MeshConfig, typeof meshNeeds>;

/** What mesh's parts share: the generation's context and the kernel's endpoint. */
export interface MeshContext {
  readonly ctx: MeshPluginContext;
  readonly network: Network;
}
