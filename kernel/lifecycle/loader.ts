import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../sdk/clock.ts';
import { messageOf } from '../sdk/errors.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { startAs } from './attribution.ts';
import { placeInCode } from './code-place.ts';
import { lifecycleErrors } from './errors.ts';
import { checkManifest } from './manifest.ts';
import { atRevision, importsOf, installRevisionHook } from './revision-hook.ts';
import { within } from './scope.ts';

/** Evaluating a module takes milliseconds; one that awaits something at its top level may never end. */
export const LOAD_LIMIT_MS = 10_000;
/** A plugin folder larger than this is surely not one (a home directory, a checkout). */
const FOLDER_MAX_FILES = 500;
/** All of it is read and hashed at every reload, with the event loop waiting. */
const CODE_MAX_BYTES = 16 * 1024 * 1024;
/** Paths of plugins in one process. */
const PATHS_MAX = 1_024;
const CODE_FILE = /(?<!\.test|\.d)\.(?:[cm]?[jt]s|json)$/;

const commonJs = createRequire(import.meta.url).cache;
/** The revision that each path had when it was last loaded. */
const REVISIONS = new BoundedMap<string, string>(PATHS_MAX);

export interface LoadedPlugin {
  readonly plugin: AnyPlugin;
  /** The `.ts`/`.js` file, or the folder with `plugin.ts`/`plugin.js`. */
  readonly path: string;
  /** The same without symbolic links: where stacks and modules say that it is. */
  readonly home: string;
  /** A hash of the code: equal revisions are the same module, which is not evaluated again. */
  readonly revision: string;
  /** It does not ship with the node. */
  readonly foreign: boolean;
}

export interface LoadOptions {
  readonly foreign?: boolean;
  /** Told the revision before anything is evaluated; may throw. */
  readonly began?: (revision: string) => void;
}

/**
 * Loads plugin code as it is on disk now.
 *
 * Modules cannot be unloaded in Node, so each *changed* revision stays in memory for the life of the
 * process; reloading unchanged code costs nothing (docs/hot-swap.md has the figures).
 *
 * @throws lifecycle/load-failed, lifecycle/bad-manifest, the reason of `signal`
 */
export async function loadPlugin(
  path: string,
  clock: Clock,
  signal?: AbortSignal,
  { foreign = false, began }: LoadOptions = {},
): Promise<LoadedPlugin> {
  installRevisionHook();
  try {
    const entry = entryOf(path);
    const files = filesOf(path);
    const revision = revisionOf(files);
    began?.(revision);
    // CommonJS modules are kept by their file names alone, whatever revision asks for them.
    for (const file of files) delete commonJs[file];
    REVISIONS.set(resolve(path), revision);
    const evaluate = async (): Promise<{ default?: unknown }> => {
      const loading = import(atRevision(pathToFileURL(entry), revision)) as Promise<{ default?: unknown }>;
      if (await within(loading, LOAD_LIMIT_MS, clock, signal)) return loading;
      throw new Error(`it awaits something at its top level that takes longer than ${LOAD_LIMIT_MS} ms`);
    };
    const module = await (foreign ? startAs(realpathSync(path), evaluate) : evaluate());
    return {
      plugin: checkManifest(module.default, path),
      path: resolve(path),
      home: realpathSync(path),
      revision,
      foreign,
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('lifecycle/')) throw error;
    const place = await placeInCode(error, existsSync(path) ? codeFiles(path) : []);
    const problem = `${place === undefined ? '' : `${place}: `}${messageOf(error)}`;
    throw lifecycleErrors.make('load-failed', { path, problem }, error);
  }
}

/** The plugin folders of a directory: those with a `plugin.ts` or `plugin.js` in them. */
export function findPlugins(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => isPlugin(path))
    .sort();
}

/** True for a folder with a `plugin.ts`/`plugin.js`, or a lone `.ts`/`.js` file that is no test or type file. */
export function isPlugin(path: string): boolean {
  const stats = statOf(path);
  if (stats?.isDirectory()) return isFile(join(path, 'plugin.js')) || isFile(join(path, 'plugin.ts'));
  return stats?.isFile() === true && CODE_FILE.test(path) && !path.endsWith('.json');
}

/** The file that is evaluated for a plugin's folder or file. */
export function entryOf(path: string): string {
  if (statSync(path).isFile()) return resolve(path);
  const compiled = resolve(path, 'plugin.js');
  return isFile(compiled) ? compiled : resolve(path, 'plugin.ts');
}

/** What is there; nothing for what cannot be asked for, such as a link to itself. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** A pipe or a device is no code: reading it may never end. */
const isFile = (path: string): boolean => statOf(path)?.isFile() === true;

/** The code files of a plugin, and what its last revision imported by relative paths, which may lie beside it. */
function filesOf(path: string): string[] {
  const imported = [...importsOf(REVISIONS.get(resolve(path)) ?? '')].filter((file) => existsSync(file));
  const files = [...new Set([...codeFiles(path), ...imported])];
  if (files.length > FOLDER_MAX_FILES) throw new Error(`more than ${FOLDER_MAX_FILES} code files`);
  const bytes = files.reduce((sum, file) => sum + (statOf(file)?.size ?? 0), 0);
  if (bytes > CODE_MAX_BYTES) throw new Error(`more than ${CODE_MAX_BYTES} bytes of code`);
  return files;
}

function revisionOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Without symbolic links, each folder once; what npm installed is not the plugin's own code. */
function codeFiles(path: string, seen = new Set<string>()): string[] {
  if (statSync(path).isFile()) return [realpathSync(path)];
  const home = realpathSync(path);
  if (seen.has(home) || seen.size > FOLDER_MAX_FILES) return [];
  seen.add(home);
  return readdirSync(home, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const child = join(home, entry.name);
      // Only what is linked has to be asked for: a reload reads hundreds of files.
      const kind = entry.isSymbolicLink() ? statOf(child) : entry;
      if (kind?.isDirectory()) return codeFiles(child, seen);
      if (!kind?.isFile() || !CODE_FILE.test(entry.name)) return [];
      return [entry.isSymbolicLink() ? realpathSync(child) : child];
    });
}
