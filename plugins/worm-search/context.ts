import { NETWORK, type PluginContext } from '../../kernel/index.ts';
import { MESH } from '../mesh/api.ts';
import { SOCIAL } from '../social/api.ts';

/** Whom to ask, and how to reach them, is for mesh to say. Social knows the preferred peers of contacts. */
export const wormNeeds = { network: NETWORK, mesh: MESH, social: { optional: SOCIAL } } as const;

// biome-ignore lint/complexity/noBannedTypes: worm search has no settings
export type WormContext = PluginContext<{}, typeof wormNeeds>;
