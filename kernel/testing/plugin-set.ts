import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock/system-clock.ts';
import { findPlugins, type LoadedPlugin, loadPlugin } from '../lifecycle/loader.ts';
import { needsOf } from '../lifecycle/manifest.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { testingErrors } from './errors.ts';

const BUILTIN = fileURLToPath(new URL('../../plugins', import.meta.url));

/** A plugin's folder or file; a relative path starts at the working directory. Or the plugin itself, as a test wrote it. */
export type PluginSource = string | URL | AnyPlugin;

/** The folders of the plugins that ship with itsgoin. */
export function builtinPlugins(): string[] {
  return findPlugins(BUILTIN);
}

export function pathOf(plugin: string | URL): string {
  return typeof plugin === 'string' ? resolve(plugin) : fileURLToPath(plugin).replace(/[\\/]$/, '');
}

/** Where the file of a plugin that is none finds it; one for all copies of this module in the process. */
const WRITTEN = Symbol.for('itsgoin/testing/plugins');
const registry: typeof globalThis & { [WRITTEN]?: AnyPlugin[] } = globalThis;

/**
 * The path at which the lifecycle finds a plugin. One that a test wrote down gets a file in `directory`,
 * and is known to this process for good, as every module is.
 */
export function placeOf(plugin: PluginSource, directory: string): string {
  if (typeof plugin === 'string' || plugin instanceof URL) return pathOf(plugin);
  registry[WRITTEN] ??= [];
  const number = registry[WRITTEN].push(plugin) - 1;
  const path = join(directory, `${plugin.name}-${number}.mjs`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path, `export default globalThis[Symbol.for('${WRITTEN.description}')][${number}];\n`);
  return path;
}

/** Evaluates the code now, so that no wait on virtual time is a wait for the disk. @throws lifecycle/load-failed, lifecycle/bad-manifest */
export function readPlugin(path: string): Promise<LoadedPlugin> {
  return loadPlugin(path, systemClock());
}

/**
 * What a node must run for some plugins to run: those given, those named among the ones that ship with
 * itsgoin, and whatever these need. A given one takes the place of a shipped one of its name, and is
 * preferred as a provider.
 *
 * @throws testing/no-such-plugin, lifecycle/load-failed, lifecycle/bad-manifest
 */
export async function withNeeds(
  given: readonly string[],
  named: readonly string[] | 'all' = [],
): Promise<LoadedPlugin[]> {
  const chosen = new Map<string, LoadedPlugin>();
  for (const path of given) {
    const loaded = await readPlugin(path);
    chosen.set(loaded.plugin.name, loaded);
  }
  const shipped = new Map<string, LoadedPlugin>();
  for (const path of builtinPlugins()) {
    const loaded = await readPlugin(path);
    shipped.set(loaded.plugin.name, loaded);
  }
  const take = (name: string): void => {
    const loaded = shipped.get(name);
    if (loaded === undefined && !chosen.has(name))
      throw testingErrors.make('no-such-plugin', { name, known: [...shipped.keys()].join(', ') });
    if (loaded !== undefined && !chosen.has(name)) chosen.set(name, loaded);
  };
  for (const name of named === 'all' ? shipped.keys() : named) take(name);
  // The map grows while it is read: what was taken for its service has needs of its own.
  for (const { plugin } of chosen.values()) {
    for (const { token, optional } of needsOf(plugin)) {
      if (optional || providerOf(token.name, chosen.values()) !== undefined) continue;
      const provider = providerOf(token.name, shipped.values());
      if (provider !== undefined) take(provider.plugin.name);
    }
  }
  return [...chosen.values()];
}

export function providerOf(token: string, among: Iterable<LoadedPlugin>): LoadedPlugin | undefined {
  for (const loaded of among) {
    const provides: readonly { readonly name: string }[] = loaded.plugin.provides ?? [];
    if (provides.some(({ name }) => name === token)) return loaded;
  }
  return undefined;
}
