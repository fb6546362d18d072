import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startNode } from '../../kernel/node.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { holdSyncs } from './disk.ts';

const PLUGINS = ['peers', 'social'].map((name) => fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)));
const BOB = 'ab'.repeat(32);

test('commands answer when the disk has it; when it fails they say so, and the node stops and says why', async (t) => {
  const dataDir = temporaryDirectory(t);
  const options = { dataDir, plugins: PLUGINS, bind: '127.0.0.1:0', attended: false, logTo: 'none' } as const;
  const node = await startNode(options);
  const held = holdSyncs(t);
  const run = async (command: string, params: object, end: (answered: boolean) => void): Promise<unknown> => {
    const before = held.length;
    let answered = false;
    const result = node.host.run(command, params, { signal: new AbortController().signal, progress() {} });
    const mark = (): void => {
      answered = true;
    };
    result.then(mark, mark);
    while (held.length === before) await turn();
    await turn();
    end(answered);
    return result;
  };
  const finish = (answered: boolean): void => {
    t.false(answered);
    held.at(-1)?.finish();
  };
  await run('profile.set', { name: 'Ada' }, finish);
  await run('follow.add', { target: BOB }, finish);
  await run('follow.remove', { node_id: BOB }, finish);
  const fail = (): void => held.at(-1)?.fail('Input/output error');
  await t.throwsAsync(run('profile.set', { name: 'Eve' }, fail), { code: 'store/io-failed' });
  t.like(await node.stopped, { code: 'store/io-failed' });
  const again = await startNode(options);
  await again.stop();
  t.is(await again.stopped, undefined);
});
