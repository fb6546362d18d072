import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { explainFile } from './sqlite-errors.ts';

/**
 * Writes `path` so that a crash at any moment leaves either the old or the new content, on disk.
 *
 * @throws store/disk-full, store/read-only
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', mode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    removeLeftover(temporary);
    throw explainFile(error, path) ?? error;
  }
}

/** On a full disk what was written so far takes up room; where it cannot be removed the first error counts. */
function removeLeftover(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {
    // The directory is read-only or gone, which the caller hears of.
  }
}

/** The rename itself is on disk only when its directory is. Windows cannot open one, and needs not. */
function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
