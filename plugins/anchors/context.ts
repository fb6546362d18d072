import { DATA_FILES, NETWORK } from '../../kernel/index.ts';
import type { Network, PluginContext } from '../../kernel/index.ts';
import { MESH } from '../mesh/api.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';
import { SOCIAL } from '../social/api.ts';
import { INTRODUCTION, PORT_MAPPING } from './api.ts';
import type { AnchorsConfig } from './config.ts';

export const anchorsNeeds = {
  network: NETWORK,
  dataFiles: DATA_FILES,
  peers: PEERS,
  routing: ROUTING,
  mesh: MESH,
  portMapping: { optional: PORT_MAPPING },
  introduction: { optional: INTRODUCTION },
  /** Whose profiles name anchors. */
  social: { optional: SOCIAL },
} as const;

/** What the parts of anchors share: the generation's context and the kernel's endpoint. */
export interface AnchorsContext {
  readonly ctx: PluginContext<AnchorsConfig, typeof anchorsNeeds>;
  readonly network: Network;
}
