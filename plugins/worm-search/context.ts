import { NETWORK, type NoSettings, type PluginContext } from '../../kernel/index.ts';
import { LOOKUP } from '../lookup/api.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';
import { PRESENCE } from '../presence/api.ts';

/** Routing says whom to ask, and peers reaches them. Presence knows the preferred peers of contacts. */
export const wormNeeds = {
  network: NETWORK,
  peers: PEERS,
  routing: ROUTING,
  lookup: { optional: LOOKUP },
  presence: { optional: PRESENCE },
} as const;

export type WormContext = PluginContext<NoSettings, typeof wormNeeds>;
