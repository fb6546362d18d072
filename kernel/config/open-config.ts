import { readFileSync } from 'node:fs';
import { codeOf } from '../sdk/errors.ts';
import { deepFreeze } from '../sdk/freeze.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import type { ConfigFile, NodeConfig } from './config.ts';
import { configErrors } from './errors.ts';
import { type Given, GivenSettings } from './given-settings.ts';
import { parseJson } from './json-text.ts';
import { NodeKeys, needsRestart } from './node-keys.ts';
import { isRecord, resolveSection, unknownKey } from './resolve.ts';

/** A file beyond this is not a config file. */
const FILE_MAX_BYTES = 1024 * 1024;
const PLUGIN_KEYS = ['enabled', 'source', 'config'] as const;

interface PluginEntry {
  enabled?: boolean;
  source?: string;
  config?: Record<string, unknown>;
}

interface Content {
  node: Record<string, unknown>;
  plugins: Record<string, PluginEntry>;
}

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
  #content: Content;
  #node: NodeConfig;
  readonly #listeners: ((node: NodeConfig) => void)[] = [];

  readonly #given: GivenSettings;

  constructor(path: string, given: Given) {
    this.#path = path;
    this.#content = read(path);
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
    const known = Object.keys(NodeKeys.properties);
    if (!known.includes(key)) throw unknownKey(key, key, known, 'node');
    this.#change((content) => {
      content.node[key] = value;
    });
    for (const listener of this.#listeners) listener(this.#node);
    return { restart: needsRestart(key) };
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
  #change(edit: (content: Content) => void): void {
    const content = read(this.#path);
    edit(content);
    const node = resolveSection(NodeKeys, content.node, `${this.#path} under node`);
    writeFileAtomic(this.#path, `${JSON.stringify(content, null, 2)}\n`);
    this.#content = content;
    this.#node = node;
  }
}

function read(path: string): Content {
  const parsed = parseJson(readText(path));
  if ('fault' in parsed) throw configErrors.make('syntax', { path, ...parsed.fault });
  const { value } = parsed;
  if (!isRecord(value))
    throw configErrors.make('bad-value', { key: 'the file', where: path, expected: 'must be an object' });
  for (const key of Object.keys(value)) {
    if (key !== 'node' && key !== 'plugins') throw unknownKey(key, key, ['node', 'plugins'], path);
  }
  const { node = {}, plugins = {} } = value;
  if (!isRecord(node))
    throw configErrors.make('bad-value', { key: 'node', where: path, expected: 'must be an object' });
  checkPlugins(plugins, path);
  return { node, plugins };
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= FILE_MAX_BYTES) return bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '{}';
    throw configErrors.make('unreadable', { path, detail: codeOf(error) }, error);
  }
  throw configErrors.make('unreadable', { path, detail: `more than ${FILE_MAX_BYTES} bytes` });
}

function checkPlugins(plugins: unknown, path: string): asserts plugins is Record<string, PluginEntry> {
  const fail = (key: string, expected: string) => configErrors.make('bad-value', { key, where: path, expected });
  if (!isRecord(plugins)) throw fail('plugins', 'must be an object');
  for (const [name, entry] of Object.entries(plugins)) {
    const key = `plugins.${name}`;
    if (!isRecord(entry)) throw fail(key, 'must be an object');
    for (const field of Object.keys(entry)) {
      if (!PLUGIN_KEYS.some((known) => known === field)) throw unknownKey(`${key}.${field}`, field, PLUGIN_KEYS, path);
    }
    if (entry.enabled !== undefined && typeof entry.enabled !== 'boolean')
      throw fail(`${key}.enabled`, 'must be true or false');
    if (entry.source !== undefined && typeof entry.source !== 'string') throw fail(`${key}.source`, 'must be a path');
    if (entry.config !== undefined && !isRecord(entry.config)) throw fail(`${key}.config`, 'must be an object');
  }
  // What `plugin()` hands out is not for changing; `#change` replaces entries whole.
  for (const entry of Object.values(plugins)) deepFreeze(entry);
}
