import { NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import type { MeshConfig } from './config.ts';

export const meshNeeds = { network: NETWORK } as const;

/** What mesh's parts share: the generation's context and the kernel's endpoint. */
export interface MeshContext {
  readonly ctx: PluginContext<MeshConfig, typeof meshNeeds>;
  readonly network: Network;
}
