import type { ConfigFile } from '../config/config.ts';
import { messageOf } from '../sdk/errors.ts';
import type { Log } from '../sdk/log.ts';
import { lifecycleErrors } from './errors.ts';
import type { LoadedPlugin } from './loader.ts';
import { nameless } from './plugin-code.ts';
import { type PluginOrigin, PluginRecord } from './plugin-record.ts';

/** Every plugin this node knows, running or not, by name. Bounded by the folders and config entries there are. */
export class PluginRegistry {
  readonly #config: ConfigFile;
  readonly #log: Log;
  readonly #load: (path: string) => Promise<LoadedPlugin>;
  readonly #records = new Map<string, PluginRecord>();

  constructor(config: ConfigFile, log: Log, load: (path: string) => Promise<LoadedPlugin>) {
    this.#config = config;
    this.#log = log;
    this.#load = load;
  }

  all(): PluginRecord[] {
    return [...this.#records.values()];
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  /** @throws lifecycle/unknown-plugin */
  get(name: string): PluginRecord {
    const record = this.#records.get(name);
    if (!record) throw lifecycleErrors.make('unknown-plugin', { name });
    return record;
  }

  at(path: string): PluginRecord | undefined {
    return this.all().find((record) => record.path === path);
  }

  add(record: PluginRecord): void {
    this.#records.set(record.name, record);
  }

  remove(name: string): void {
    this.#records.delete(name);
  }

  /** Other code under the name of this plugin, which falls back to its own when that one does not load. */
  async #standIn(record: PluginRecord, source: string): Promise<void> {
    try {
      record.loaded = await this.#load(source);
      record.path = source;
    } catch (error) {
      record.fallback = `runs its own code: ${messageOf(error)}`;
      this.#log.error('plugin-load-failed', { path: source, problem: messageOf(error) });
    }
  }

  /** Loads the code at a path and remembers it. Code that does not load is remembered as failed. */
  async register(path: string, origin: PluginOrigin): Promise<PluginRecord> {
    let record: PluginRecord | undefined;
    try {
      const loaded = await this.#load(path);
      const { name } = loaded.plugin;
      if (this.#records.has(name)) throw lifecycleErrors.make('already-present', { name });
      const source = this.#config.plugin(name).source;
      record = new PluginRecord(name, loaded.path, origin);
      record.loaded = loaded;
      if (source !== undefined && source !== loaded.path) await this.#standIn(record, source);
    } catch (error) {
      this.#log.error('plugin-load-failed', { path, problem: messageOf(error) });
      record ??= new PluginRecord(nameless(path), path, origin);
      record.fail(messageOf(error));
      // Of two with one name the first stays.
      if (this.#records.has(record.name)) return record;
    }
    this.add(record);
    return record;
  }
}
