import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import { createLog } from '../../kernel/observe/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { killRepeatedly } from './harness.ts';

const PROCESS = fileURLToPath(new URL('store-process.js', import.meta.url));

test('50 times kill -9 while rows are written: none that was acknowledged is missing', async (t) => {
  t.timeout(600_000);
  const seed = Math.floor(Math.random() * 1e9);
  t.log(`seed ${seed}`);
  const dir = temporaryDirectory(t);
  let integrity: readonly string[] = ['not checked'];
  const report = await killRepeatedly(
    {
      start: () => spawn(process.execPath, [PROCESS, dir], { stdio: ['ignore', 'pipe', 'pipe'] }),
      async load(child, acknowledged) {
        let last: string | undefined;
        for await (const line of createInterface({ input: child.stdout as Readable })) {
          // One line late: the last one of a killed process may be cut.
          if (last !== undefined) acknowledged(last);
          last = line;
        }
      },
      async stored(ids) {
        const clock = systemClock();
        const log = createLog({ level: 'error', clock, to: 'none' }).area('kernel/store');
        const store = openStore({ path: join(dir, 'itsgoin.db'), log, clock });
        integrity = store.integrityCheck();
        const find = store.database('notes').prepare('SELECT 1 FROM notes WHERE id = ?');
        const found = new Set(ids.filter((id) => find.get(id) !== undefined));
        store.close();
        return found;
      },
    },
    { rounds: 50, random: seededRandom(seed) },
  );
  t.log(`${report.acknowledged} rows acknowledged, ${report.killedAtStart} rounds killed during start`);
  t.deepEqual(report.missing, []);
  t.deepEqual(integrity, []);
  t.true(report.acknowledged > 1_000);
  t.true(report.killedAtStart < 25);
});
