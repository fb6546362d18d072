import type { ConfigFile } from '../config/config.ts';
import type { Migration } from '../sdk/database.ts';
import type { Log } from '../sdk/log.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { CallGate } from './call-gate.ts';
import type { Generation } from './generation.ts';
import type { LoadedPlugin } from './loader.ts';
import type { PluginState, PluginSummary } from './plugin-host.ts';

export type PluginOrigin = 'builtin' | 'local' | 'added';

/** What the node remembers of one plugin over all its generations. */
export class PluginRecord {
  readonly name: string;
  readonly gate: CallGate;
  /** Where it came from: with the node, from the data directory's plugin folder, or by `plugin add`. */
  readonly origin: PluginOrigin;
  /** The path it was first found at; a `replace` may run other code. */
  readonly ownPath: string;
  /** The code to run at the next (re)load. */
  path: string;
  /** The code that runs, or ran last. */
  loaded: LoadedPlugin | undefined;
  generation: Generation | undefined;
  state: PluginState = 'off';
  reason: string | undefined;
  /** Why a plugin of the node runs its own code instead of what stands in for it. */
  fallback: string | undefined;
  #generations = 0;

  constructor(name: string, path: string, origin: PluginOrigin, ownPath = path) {
    this.name = name;
    this.path = path;
    this.origin = origin;
    this.ownPath = ownPath;
    this.gate = new CallGate(name);
  }

  get generations(): number {
    return this.#generations;
  }

  get plugin(): AnyPlugin | undefined {
    return this.loaded?.plugin;
  }

  commit(next: Generation): void {
    this.generation = next;
    this.state = 'active';
    this.reason = this.fallback;
    this.#generations++;
  }

  fail(reason: string): void {
    this.state = 'failed';
    this.reason = reason;
  }

  withdraw(): void {
    this.generation = undefined;
    this.state = 'off';
  }

  summary(): PluginSummary {
    return {
      name: this.name,
      version: this.plugin?.version ?? '',
      about: this.plugin?.about ?? '',
      state: this.state,
      generation: this.#generations,
      source: this.origin === 'builtin' && this.path === this.ownPath ? 'builtin' : this.path,
      reason: this.reason,
      commands: Object.keys(this.plugin?.commands ?? {}),
    };
  }
}

/** What of its migrations a start of this plugin may run: those that old code cannot live with wait while it runs. */
export function migrationsFor({ generation }: PluginRecord): readonly Migration['kind'][] {
  return generation ? ['expand'] : ['expand', 'contract'];
}

/**
 * Writes a change of one plugin to the config file and returns the undo, for when the change is refused or
 * sent back. @throws config/*: then nothing was changed.
 */
export function persistChange(
  config: ConfigFile,
  record: PluginRecord,
  change: Parameters<ConfigFile['setPlugin']>[1],
  log: Log,
): () => void {
  const { name, path } = record;
  const { enabled, source = null, config: settings } = config.plugin(name);
  config.setPlugin(name, change);
  return () => {
    record.path = path;
    try {
      config.setPlugin(name, { enabled, source, config: settings as Record<string, unknown> | undefined });
    } catch (error) {
      log.error('config-not-restored', { plugin: name, error });
    }
  };
}
