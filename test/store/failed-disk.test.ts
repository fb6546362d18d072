import { fileURLToPath } from 'node:url';
import test from 'ava';
import { setImmediate as turn } from 'node:timers/promises';
import { startNode } from '../../kernel/node.ts';
import { temporaryDirectory } from '../rig/temporary.ts';
import { holdSyncs } from './disk.ts';

const PLUGINS = ['peers', 'social'].map((name) => fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)));

test('a profile that the disk did not take is not called set, and the node stops and says why', async (t) => {
  const dataDir = temporaryDirectory(t);
  const options = { dataDir, plugins: PLUGINS, bind: '127.0.0.1:0', attended: false, logTo: 'none' } as const;
  const node = await startNode(options);
  const held = holdSyncs(t);
  const call = { signal: new AbortController().signal, progress() {} };
  const set = node.host.run('profile.set', { name: 'Ada' }, call);
  const follow = node.host.run('follow.add', { target: 'ab'.repeat(32) }, call);
  while (held.length === 0) await turn();
  held[0]?.fail('Input/output error');
  await t.throwsAsync(set, { code: 'store/io-failed' });
  await t.throwsAsync(follow, { code: 'store/io-failed' });
  t.like(await node.stopped, { code: 'store/io-failed' });
  const again = await startNode(options);
  await again.stop();
  t.is(await again.stopped, undefined);
});
