import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seededRandom, systemClock } from '../../kernel/clock/index.ts';
import type { ControlClient } from '../../kernel/control/client.ts';
import { connectControl } from '../../kernel/control/socket-client.ts';
import { createLog } from '../../kernel/observe/index.ts';
import { openStore } from '../../kernel/store/index.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { killRepeatedly } from './harness.ts';

const PROCESS = fileURLToPath(new URL('node-process.js', import.meta.url));
/** Commands under way at once, as several people at one node would have. */
const CALLERS = 8;

test('50 times kill -9 while a node is posting: none of the posts it acknowledged is missing', async (t) => {
  t.timeout(900_000);
  const seed = Math.floor(Math.random() * 1e9);
  t.log(`seed ${seed}`);
  const dir = temporaryDirectory(t);
  const start = () => spawn(process.execPath, [PROCESS, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let made = 0;
  const report = await killRepeatedly(
    {
      start,
      async load(child, acknowledged) {
        await once(child.stdout as Readable, 'data');
        const client = await connectControl(dir);
        const caller = async (): Promise<never> => {
          for (;;) {
            const { id } = await client.call<{ id: string }>('post.create', { text: `post number ${made++}` });
            acknowledged(id);
          }
        };
        await Promise.all(Array.from({ length: CALLERS }, caller));
      },
      async stored(ids) {
        const child = start();
        await once(child.stdout as Readable, 'data');
        const client = await connectControl(dir);
        const found = new Set<string>();
        for (const id of ids) if (await isThere(client, id)) found.add(id);
        await client.call('shutdown').catch(() => {});
        client.close();
        if (child.exitCode === null) await Promise.race([once(child, 'exit'), wait(10_000, undefined, { ref: false })]);
        return found;
      },
    },
    { rounds: 50, random: seededRandom(seed) },
  );
  t.log(`${report.acknowledged} posts acknowledged, ${report.killedAtStart} rounds killed during start`);
  t.deepEqual(report.missing, []);
  t.true(report.acknowledged > 50);

  const clock = systemClock();
  const log = createLog({ level: 'error', clock, to: 'none' }).area('kernel/store');
  const store = openStore({ path: join(dir, 'itsgoin.db'), log, clock });
  t.deepEqual(store.integrityCheck(), []);
  store.close();
});

async function isThere(client: ControlClient, id: string): Promise<boolean> {
  try {
    await client.call('post.show', { id });
    return true;
  } catch {
    return false;
  }
}
