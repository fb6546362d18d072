import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from '../rig/temporary.ts';
import { type Entry, readRecording } from './power-loss.ts';
import { preload } from './preload.ts';

const WRITER = fileURLToPath(new URL('store-writer.js', import.meta.url));

/** All that a store which commits `rows` rows did to its files; `undefined` where that cannot be recorded. */
export async function recordedRun(t: ExecutionContext, rows: number): Promise<Entry[] | undefined> {
  const library = preload(t, 'record');
  if (library === undefined) return undefined;
  const dir = temporaryDirectory(t);
  const record = join(dir, 'record');
  const child = spawn(process.execPath, [WRITER, dir, String(rows)], {
    env: { ...process.env, LD_PRELOAD: library, DISK_RECORD: record },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  t.is(signal, 'SIGKILL');
  return readRecording(record);
}
