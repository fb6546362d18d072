import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../sdk/clock.ts';
import { messageOf } from '../sdk/errors.ts';
import type { AnyPlugin } from '../sdk/plugin.ts';
import { placeInCode } from './code-place.ts';
import { lifecycleErrors } from './errors.ts';
import { checkManifest } from './manifest.ts';
import { atRevision, installRevisionHook } from './revision-hook.ts';
import { within } from './scope.ts';

/** Evaluating a module takes milliseconds; one that awaits something at its top level may never end. */
export const LOAD_LIMIT_MS = 10_000;
/** A plugin folder larger than this is surely not one (a home directory, a checkout). */
const FOLDER_MAX_FILES = 500;
const CODE_FILE = /(?<!\.test|\.d)\.(ts|js|mts|mjs|json)$/;

export interface LoadedPlugin {
  readonly plugin: AnyPlugin;
  /** The `.ts`/`.js` file, or the folder with `plugin.ts`/`plugin.js`. */
  readonly path: string;
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
    const revision = revisionOf(path);
    began?.(revision);
    const loading = import(atRevision(pathToFileURL(entry), revision)) as Promise<{ default?: unknown }>;
    if (!(await within(loading, LOAD_LIMIT_MS, clock, signal))) {
      throw new Error(`it awaits something at its top level that takes longer than ${LOAD_LIMIT_MS} ms`);
    }
    return { plugin: checkManifest((await loading).default, path), path: resolve(path), revision, foreign };
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
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return existsSync(join(path, 'plugin.js')) || existsSync(join(path, 'plugin.ts'));
  return stats?.isFile() === true && CODE_FILE.test(path) && !path.endsWith('.json');
}

/** The file that is evaluated for a plugin's folder or file. */
export function entryOf(path: string): string {
  if (statSync(path).isFile()) return resolve(path);
  const compiled = resolve(path, 'plugin.js');
  return existsSync(compiled) ? compiled : resolve(path, 'plugin.ts');
}

function revisionOf(path: string): string {
  const hash = createHash('sha256');
  const files = codeFiles(path);
  if (files.length > FOLDER_MAX_FILES) throw new Error(`more than ${FOLDER_MAX_FILES} code files`);
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

function codeFiles(path: string): string[] {
  if (statSync(path).isFile()) return [resolve(path)];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => CODE_FILE.test(name) && !name.includes('node_modules'))
    .sort()
    .map((name) => resolve(path, name));
}
