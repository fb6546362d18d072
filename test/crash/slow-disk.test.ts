import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { preload } from '../disk/preload.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const WRITER = fileURLToPath(new URL('../disk/slow-writer.js', import.meta.url));
const STALL_MS = 400;
/** Others want the processor too: what the disk does to the loop shows in every run, what they do does not. */
const RUNS = 3;

test('a disk that takes 15 ms for a sync, and 400 for each 50th, does not stop the event loop for 50', async (t) => {
  t.timeout(180_000);
  const library = preload(t, 'slow-sync');
  if (library === undefined) return t.pass();
  const env = { ...process.env, LD_PRELOAD: library, SLOW_MS: '15', SLOW_BIG_MS: String(STALL_MS) };
  const stops: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, [WRITER, temporaryDirectory(t), '60000'], { env });
    stops.push(Number(stdout));
  }
  t.log(`longest stops: ${stops.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  t.true(Math.min(...stops) < 50);
});
