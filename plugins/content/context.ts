import { type PluginContext, SIGNER } from '../../kernel/index.ts';
import { MESH } from '../mesh/api.ts';
import { PEERS } from '../peers/api.ts';
import { SOCIAL } from '../social/api.ts';
import type { ContentConfig } from './config.ts';

/**
 * The other plugins may be off: then the user can still write and read, what was missed is pulled later, and others'
 * searches do not find the posts that are here.
 */
export const contentNeeds = {
  signer: SIGNER,
  peers: { optional: PEERS },
  mesh: { optional: MESH },
  social: { optional: SOCIAL },
} as const;

export type ContentContext = PluginContext<ContentConfig, typeof contentNeeds>;
