import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataDirectory } from './data-lock.ts';
import { explainFile } from './sqlite-errors.ts';

/** Where everything of one node is. */
export interface DataDirectory {
  readonly dir: string;
  readonly database: string;
  readonly blobs: string;
  readonly config: string;
  readonly plugins: string;
  readonly log: string;
  /** What a run leaves for the next one about third-party plugins. */
  readonly marks: string;
  /** Who held the event loop, written by the watchdog. */
  readonly hung: string;
}

export function dataPaths(dir: string): DataDirectory {
  return {
    dir,
    database: join(dir, 'itsgoin.db'),
    blobs: join(dir, 'blobs'),
    config: join(dir, 'config.json'),
    plugins: join(dir, 'plugins'),
    log: join(dir, 'node.log'),
    marks: join(dir, 'plugin-marks.json'),
    hung: join(dir, 'plugin-hung.json'),
  };
}

/** Makes the directory (mode 0700) and `blobs/00` to `blobs/ff` (ID-04). @throws store/read-only, store/disk-full */
export function prepareDataDirectory(dir: string): DataDirectory {
  const paths = dataPaths(dir);
  try {
    mkdirSync(paths.blobs, { recursive: true, mode: 0o700 });
    const present = new Set(readdirSync(paths.blobs));
    for (let shard = 0; shard < 256; shard++) {
      const name = shard.toString(16).padStart(2, '0');
      if (!present.has(name)) mkdirSync(join(paths.blobs, name), { mode: 0o700 });
    }
  } catch (error) {
    throw explainFile(error, dir) ?? error;
  }
  return paths;
}

/**
 * Deletes the database and every blob; keys, config and plugins stay (ID-10).
 *
 * @throws store/locked while a node runs on the directory
 */
export function resetData(dir: string): void {
  const lock = lockDataDirectory(dir);
  try {
    const paths = dataPaths(dir);
    // The WAL goes last: without its database it means nothing, a database without it may lack commits.
    for (const suffix of ['', '-shm', '-wal']) rmSync(paths.database + suffix, { force: true });
    rmSync(paths.blobs, { recursive: true, force: true });
    prepareDataDirectory(dir);
  } catch (error) {
    throw explainFile(error, dir) ?? error;
  } finally {
    lock.release();
  }
}
