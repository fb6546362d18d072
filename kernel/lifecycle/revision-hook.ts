import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';

const REVISION = 'rev';
// This file runs compiled (.js) or with its types stripped (.ts); plugins get the kernel of the same kind.
const EXTENSION = import.meta.url.endsWith('.js') ? 'js' : 'ts';
const KERNEL_DOORS = new Map([
  ['itsgoin', new URL(`../index.${EXTENSION}`, import.meta.url).href],
  ['itsgoin/testing', new URL(`../testing/index.${EXTENSION}`, import.meta.url).href],
]);
const PLUGINS_ROOT = new URL('../../plugins/', import.meta.url);
/** Code that ships with the node names the files it imports in full, so that nobody has to look for them. */
const SHIPPED = new RegExp(
  `^${new URL('../../', import.meta.url).href.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?:kernel|plugins)/`,
);
/** Revisions whose imports are remembered. */
const REVISIONS_MAX = 1_024;
/** By revision, the files that modules of third-party plugins import by relative paths. */
const imported = new BoundedMap<string, Set<string>>(REVISIONS_MAX);
let installed = false;

/** What this revision of a third-party plugin imports by relative paths, in its folder and beside it. */
export function importsOf(revision: string): ReadonlySet<string> {
  return imported.get(revision) ?? new Set();
}

/** The URL under which a module is evaluated afresh for a revision of its plugin. */
export function atRevision(url: URL, revision: string): string {
  const versioned = new URL(url);
  versioned.searchParams.set(REVISION, revision);
  return versioned.href;
}

/**
 * Makes plugin code reloadable and gives third-party plugins their imports, once per process:
 *
 * - a relative import inside a plugin carries on the revision of the importing module, so the whole
 *   folder is fresh after a swap and not just its `plugin.ts`, with what a third-party plugin takes from beside
 *   its folder (what ships with the node is shared);
 * - `itsgoin` is this very kernel, `itsgoin/testing` its test kit and `itsgoin/plugins/<name>` that
 *   plugin's `api.ts`, wherever the importing file lies, so that both sides hold the same objects.
 */
export function installRevisionHook(): void {
  if (installed) return;
  installed = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const door = KERNEL_DOORS.get(specifier);
      if (door !== undefined) return { url: door, shortCircuit: true };
      const api = /^itsgoin\/plugins\/([a-z0-9-]+)$/.exec(specifier);
      if (api) return { url: new URL(`${api[1]}/api.${EXTENSION}`, PLUGINS_ROOT).href, shortCircuit: true };
      const { parentURL } = context;
      const resolved =
        specifier.startsWith('.') && parentURL !== undefined && SHIPPED.test(parentURL)
          ? { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
          : nextResolve(specifier, context);
      if (!specifier.startsWith('.') || parentURL === undefined) return resolved;
      const parent = new URL(parentURL);
      const revision = parent.searchParams.get(REVISION);
      if (revision === null) return resolved;
      const root = new URL(parent.searchParams.get('root') ?? '.', parent);
      const target = new URL(resolved.url);
      const isInside = target.href.startsWith(root.href);
      if (SHIPPED.test(parent.href)) {
        if (!isInside) return resolved;
      } else {
        // What ships with the node is shared, and so are packages; of all else a plugin has a copy as fresh as itself.
        if (SHIPPED.test(target.href) || target.href.includes('/node_modules/')) return resolved;
        const known = imported.get(revision) ?? new Set();
        imported.set(revision, known.add(fileURLToPath(target)));
      }
      target.searchParams.set(REVISION, revision);
      target.searchParams.set('root', root.href);
      return { ...resolved, url: target.href };
    },
  });
}
