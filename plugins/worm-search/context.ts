import type { PluginContext } from '../../kernel/index.ts';
import { MESH } from '../mesh/api.ts';

/** Whom to ask, and how to reach them, is for mesh to say. */
export const wormNeeds = { mesh: MESH } as const;

// biome-ignore lint/complexity/noBannedTypes: worm search has no settings
export type WormContext = PluginContext<{}, typeof wormNeeds>;
