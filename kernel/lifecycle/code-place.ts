import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A JavaScript file is parsed in milliseconds; a process has to start for it. */
const CHECK_LIMIT_MS = 5_000;
const CHECK_OUTPUT_MAX_BYTES = 64 * 1024;
/** Files of one plugin that are parsed again to find the one with the mistake. */
const CHECKED_MAX = 20;

/**
 * Where in a plugin's code an error of loading it is, as `file:line:column`, counted from 1; `undefined` when
 * nobody knows. `files` are the plugin's own.
 *
 * Node tells the place of a mistake in TypeScript, of a missing export and of what was thrown. Of a mistake in
 * plain JavaScript a module loader gets the words alone, so the files are parsed again by a process that says more.
 */
export async function placeInCode(error: unknown, files: readonly string[]): Promise<string | undefined> {
  if (!(error instanceof Error)) return undefined;
  const { stack = '' } = error;
  const known = headOf(String(stack)) ?? frameIn(String(stack), files);
  if (known !== undefined || error.name !== 'SyntaxError') return known;
  for (const file of files.filter((name) => /\.m?js$/.test(name)).slice(0, CHECKED_MAX)) {
    const place = headOf(await complaintsOf(file));
    if (place !== undefined) return place;
  }
  return undefined;
}

/** `file:line`, that line after one or two before it, and carets below what is wrong in it. */
function headOf(text: string): string | undefined {
  const [, file, line, before = ''] = /^(\S.*):(\d+)\n(?:.*\n){1,3}?([ \t]*)\^/.exec(text) ?? [];
  return file === undefined ? undefined : `${pathOf(file)}:${line}:${before.length + 1}`;
}

/** The first frame of a stack that lies in the plugin. */
function frameIn(stack: string, files: readonly string[]): string | undefined {
  for (const [, file = '', line, column] of stack.matchAll(/(file:\/\/\S+?):(\d+):(\d+)\)?$/gm)) {
    if (files.includes(pathOf(file))) return `${pathOf(file)}:${line}:${column}`;
  }
  return undefined;
}

/** A module's URL carries its revision, which nobody wants to read. */
function pathOf(file: string): string {
  if (!file.startsWith('file:')) return file;
  const url = new URL(file);
  url.search = '';
  return fileURLToPath(url);
}

function complaintsOf(file: string): Promise<string> {
  const limits = { timeout: CHECK_LIMIT_MS, maxBuffer: CHECK_OUTPUT_MAX_BYTES };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], limits, (_error, _out, complaints) => resolve(complaints));
  });
}
