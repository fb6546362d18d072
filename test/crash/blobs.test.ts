import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { blake3Hasher } from '../../kernel/identity/index.ts';
import { BlobFolder, prepareDataDirectory } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { killRepeatedly } from './harness.ts';

const PROCESS = fileURLToPath(new URL('blobs-process.js', import.meta.url));

test('50 times kill -9 while blobs are written: none that was acknowledged is missing, none is torn', async (t) => {
  t.timeout(600_000);
  const seed = Math.floor(Math.random() * 1e9);
  t.log(`seed ${seed}`);
  const dir = temporaryDirectory(t);
  const torn: string[] = [];
  let drafts = 0;
  const report = await killRepeatedly(
    {
      start() {
        drafts += readdirSync(join(prepareDataDirectory(dir).blobs), { recursive: true, encoding: 'utf8' }).filter(
          (path) => path.startsWith(join('incoming', '/')),
        ).length;
        return spawn(process.execPath, [PROCESS, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
      },
      async load(child, acknowledged) {
        let last: string | undefined;
        for await (const line of createInterface({ input: child.stdout as Readable })) {
          // One line late: the last one of a killed process may be cut.
          if (last !== undefined) acknowledged(last);
          last = line;
        }
      },
      async stored(ids) {
        const path = prepareDataDirectory(dir).blobs;
        const folder = new BlobFolder({
          dir: path,
          random: seededRandom(seed),
          durable: true,
          hasher: blake3Hasher,
        });
        t.deepEqual(readdirSync(join(path, 'incoming')), []);
        const blobs = folder.lend(new AbortController().signal);
        const found = new Set<string>();
        for await (const { cid } of blobs.list()) {
          const hasher = blake3Hasher();
          for await (const chunk of blobs.read(cid)) hasher.update(chunk);
          if (hasher.digestHex() === cid) found.add(cid);
          else torn.push(cid);
        }
        return new Set(ids.filter((id) => found.has(id)));
      },
    },
    { rounds: 50, random: seededRandom(seed) },
  );
  t.log(`${report.acknowledged} blobs acknowledged, ${drafts} killed while they were written`);
  t.deepEqual(report.missing, []);
  t.deepEqual(torn, []);
  t.true(report.acknowledged > 200);
  t.true(drafts > 20);
});
