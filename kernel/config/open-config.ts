import type { ConfigFile, NodeConfig } from './config.ts';
import { type ConfigContent, nodeFaults, type PluginEntry, readContent, setNodeKey, writeContent } from './content.ts';
import { type Given, GivenSettings } from './given-settings.ts';
import { NodeKeys, needsRestart } from './node-keys.ts';
import { type ConfigFault, resolveSection } from './resolve.ts';

/**
 * Reads `config.json`; a missing file is all defaults and is made by the first change. What is `given` of
 * plugins stands over it for this run, until it is set to something else.
 *
 * @throws config/syntax with line and column, config/unknown-key, config/bad-value, config/unreadable;
 *   the file is left as it is.
 */
export function openConfig(path: string, given: Given = {}): ConfigFile {
  return new JsonConfigFile(path, given);
}

class JsonConfigFile implements ConfigFile {
  readonly #path: string;
  #content: ConfigContent;
  #node: NodeConfig;
  readonly #listeners: ((node: NodeConfig) => void)[] = [];

  readonly #given: GivenSettings;

  constructor(path: string, given: Given) {
    this.#path = path;
    this.#content = readContent(path);
    const { plugins } = this.#content;
    this.#given = new GivenSettings(given, (name) =>
      Object.hasOwn(plugins, name) ? plugins[name]?.config : undefined,
    );
    this.#node = resolveSection(NodeKeys, this.#content.node, `${path} under node`);
  }

  get node(): NodeConfig {
    return this.#node;
  }

  plugin(name: string) {
    const entry = this.#entry(name);
    return { enabled: entry.enabled ?? true, source: entry.source, config: this.#given.over(name, entry.config) };
  }

  added(): readonly { name: string; source: string }[] {
    return Object.entries(this.#content.plugins).flatMap(([name, { source }]) =>
      source === undefined ? [] : [{ name, source }],
    );
  }

  setPlugin(
    name: string,
    change: { enabled?: boolean; source?: string | null; config?: Record<string, unknown> | undefined },
  ): void {
    this.#change((content) => {
      const { source, ...rest } = change;
      const entry: PluginEntry = { ...(Object.hasOwn(content.plugins, name) ? content.plugins[name] : {}), ...rest };
      if (source === null) delete entry.source;
      else if (source !== undefined) entry.source = source;
      // `enabled` is the default and says nothing.
      if (entry.enabled) delete entry.enabled;
      if (change.config !== undefined) entry.config = this.#given.without(name, change.config);
      if (entry.config === undefined) delete entry.config;
      if (Object.keys(entry).length > 0) content.plugins[name] = entry;
      else delete content.plugins[name];
    });
  }

  setNode(key: string, value: unknown): { restart: boolean } {
    this.#change((content) => setNodeKey(content, this.#path, key, value));
    for (const listener of this.#listeners) listener(this.#node);
    return { restart: needsRestart(key) };
  }

  nodeFaults(): readonly ConfigFault[] {
    return nodeFaults(this.#content, this.#path);
  }

  watchNode(listener: (node: NodeConfig) => void): void {
    this.#listeners.push(listener);
  }

  toJSON(): unknown {
    return { node: this.#node, plugins: structuredClone(this.#content.plugins) };
  }

  #entry(name: string): PluginEntry {
    const { plugins } = this.#content;
    return Object.hasOwn(plugins, name) ? (plugins[name] as PluginEntry) : {};
  }

  /** Starts from the file as it is now: somebody may have edited it by hand since. */
  #change(edit: (content: ConfigContent) => void): void {
    const content = readContent(this.#path);
    edit(content);
    writeContent(this.#path, content);
    this.#content = content;
    // A section that somebody broke by hand meanwhile counts when it is mended.
    if (this.nodeFaults().length === 0) this.#node = resolveSection(NodeKeys, content.node, this.#path);
  }
}
