import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** `--data`, else `$ITSGOIN_DATA`, else the platform's place for data, as an absolute path. */
export function chooseDataDirectory(given: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return resolve(given || env.ITSGOIN_DATA || envPaths('itsgoin', { suffix: '' }).data);
}
