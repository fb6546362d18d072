import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock/system-clock.ts';
import { findPlugins, type LoadedPlugin, loadPlugin } from '../lifecycle/loader.ts';
import { needsOf } from '../lifecycle/manifest.ts';
import { testingErrors } from './errors.ts';

const BUILTIN = fileURLToPath(new URL('../../plugins', import.meta.url));

/** A plugin's folder or file; a relative path starts at the working directory. */
export type PluginPath = string | URL;

/** The folders of the plugins that ship with itsgoin. */
export function builtinPlugins(): string[] {
  return findPlugins(BUILTIN);
}

export function pathOf(plugin: PluginPath): string {
  return typeof plugin === 'string' ? resolve(plugin) : fileURLToPath(plugin).replace(/[\\/]$/, '');
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
  given: readonly PluginPath[],
  named: readonly string[] | 'all' = [],
): Promise<LoadedPlugin[]> {
  const chosen = new Map<string, LoadedPlugin>();
  for (const path of given) {
    const loaded = await readPlugin(pathOf(path));
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
