import { readFileSync } from 'node:fs';
import { codeOf } from '../sdk/errors.ts';
import { deepFreeze } from '../sdk/kit/freeze.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { configErrors } from './errors.ts';
import { parseJson } from './json-text.ts';
import { NodeKeys } from './node-keys.ts';
import { type ConfigFault, faultsOf, isRecord, unknownKey } from './resolve.ts';

/** A file beyond this is not a config file. */
const FILE_MAX_BYTES = 1024 * 1024;
const PLUGIN_KEYS = ['enabled', 'source', 'config'] as const;

export interface PluginEntry {
  enabled?: boolean;
  source?: string;
  config?: Record<string, unknown>;
}

/** `config.json` as it is written: its form is checked, its sections are not resolved. */
export interface ConfigContent {
  node: Record<string, unknown>;
  plugins: Record<string, PluginEntry>;
}

/**
 * What the file says; a missing file says nothing.
 *
 * @throws config/syntax with line and column, config/unknown-key, config/bad-value, config/unreadable
 */
export function readContent(path: string): ConfigContent {
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

export function writeContent(path: string, content: ConfigContent): void {
  writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
}

/** What does not resolve of the node's own section. */
export function nodeFaults(content: ConfigContent, path: string): ConfigFault[] {
  return faultsOf(NodeKeys, content.node, `${path} under node`);
}

/**
 * Sets one key of the node's section, or removes it when `value` is undefined. Other keys may be wrong: they
 * stay as they are, so that a section can be mended key by key.
 *
 * @throws config/unknown-key, config/bad-value for this key; then `content` is not to be written
 */
export function setNodeKey(content: ConfigContent, path: string, key: string, value: unknown): void {
  if (value === undefined) {
    if (!Object.hasOwn(content.node, key)) throw configErrors.make('not-set', { key: `node.${key}` });
    delete content.node[key];
    return;
  }
  const known = Object.keys(NodeKeys.properties);
  if (!known.includes(key)) throw unknownKey(key, key, known, 'node');
  content.node[key] = value;
  const fault = nodeFaults({ node: { [key]: value }, plugins: {} }, path)[0];
  if (fault !== undefined) throw fault.error;
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
  // Entries are handed out and not for changing: a change replaces them whole.
  for (const entry of Object.values(plugins)) deepFreeze(entry);
}
