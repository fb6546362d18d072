import type { PluginContext } from '../../kernel/index.ts';
import { MESH } from '../mesh/api.ts';
import { SOCIAL } from '../social/api.ts';
import type { ContentConfig } from './config.ts';

/** Both may be off: then the user can still write and read, and what was missed is pulled later. */
export const contentNeeds = { mesh: { optional: MESH }, social: { optional: SOCIAL } } as const;

export type ContentContext = PluginContext<ContentConfig, typeof contentNeeds>;
