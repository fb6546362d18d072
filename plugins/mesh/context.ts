import type { Network, PluginContext } from '../../kernel/index.ts';
import type { MeshConfig } from './config.ts';

/** What mesh's parts share: the generation's context and the kernel's endpoint. */
export interface MeshContext {
  // biome-ignore lint/complexity/noBannedTypes: mesh injects nothing
  readonly ctx: PluginContext<MeshConfig, {}>;
  readonly network: Network;
  /** Work nobody waits for. It ends with the generation's signal; what it rejects with is counted and logged. */
  background(what: string, work: Promise<unknown>): void;
}
