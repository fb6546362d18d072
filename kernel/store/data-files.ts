import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFiles } from '../sdk/data-files.ts';
import { codeOf } from '../sdk/errors.ts';
import { storeErrors } from './errors.ts';
import { explainFile } from './sqlite-errors.ts';

const DATA_FILE_MAX_BYTES = 1024 * 1024;
/** No path, no hidden file: keys and database stay out of reach. */
const DATA_FILE_NAME = /^[a-z][a-z0-9-]{0,40}\.json$/;

/** Reads the user's files of one data directory; `given` texts stand for those of their names. See {@link DataFiles}. */
export function dataFiles(dir: string, given: Readonly<Record<string, string>> = {}): DataFiles {
  return {
    read: (name) => {
      if (Object.hasOwn(given, name)) return given[name];
      if (!DATA_FILE_NAME.test(name)) throw storeErrors.make('bad-data-file', { name: name.slice(0, 60) });
      const path = join(dir, name);
      try {
        if (statSync(path).size > DATA_FILE_MAX_BYTES) throw storeErrors.make('bad-data-file', { name });
        return readFileSync(path, 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw explainFile(error, path) ?? error;
      }
    },
  };
}
