import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { testNode } from '../rig/nodes.ts';
import type { TestNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const PLUGINS = ['peers', 'routing', 'lookup', 'mesh', 'social', 'presence'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);
/** Well below the 40 s after which the far end of a killed node would notice by itself. */
const LIMIT_MS = 15_000;
const ENTRY = fileURLToPath(new URL('killable-node.js', import.meta.url));

/** What the child says next. */
async function next<R>(child: ChildProcess): Promise<R> {
  const [{ result, error }] = (await once(child, 'message')) as [{ result: R; error?: string }];
  if (error !== undefined) throw new Error(error);
  return result;
}

interface Spawned {
  readonly child: ChildProcess;
  readonly nodeId: string;
  readonly port: number;
}

async function spawn(t: ExecutionContext, dataDir: string, bind: string): Promise<Spawned> {
  const child = fork(ENTRY, [dataDir, bind, ...PLUGINS], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const { nodeId, port } = await next<{ nodeId: string; port: number }>(child);
  return { child, nodeId, port };
}

/** Kills bert and starts him again; resolves when anna has him as a peer on a new connection. */
async function killAndReturn(t: ExecutionContext, anna: TestNode, bert: Spawned, dir: string): Promise<void> {
  const [before] = anna.network.connections();
  bert.child.kill('SIGKILL');
  await once(bert.child, 'exit');
  const startedMs = performance.now();
  await spawn(t, dir, `127.0.0.1:${bert.port}`);
  let now = anna.network.connections();
  while (
    (now.length !== 1 || now[0]?.id === before?.id || now[0]?.kind !== 'mesh') &&
    performance.now() - startedMs < LIMIT_MS
  ) {
    await sleep(20);
    now = anna.network.connections();
  }
  t.log(`back after ${Math.round(performance.now() - startedMs)} ms`);
  t.is(now.length, 1);
  t.not(now[0]?.id, before?.id);
  const { peers } = await anna.run<{ peers: { node_id: string }[] }>('peer.list');
  t.deepEqual(
    peers.map(({ node_id }) => node_id),
    [bert.nodeId],
  );
}

test('a killed node that comes back is a peer again within seconds, if it had dialled', async (t) => {
  const dir = temporaryDirectory(t);
  const anna = await testNode(t, { plugins: PLUGINS });
  const bert = await spawn(t, dir, '127.0.0.1:0');
  bert.child.send({ command: 'follow.add', params: { target: anna.connectString } });
  t.like(await next(bert.child), { connected: true });
  await killAndReturn(t, anna, bert, dir);
});

test('a killed node that comes back is a peer again within seconds, if it had been dialled', async (t) => {
  const dir = temporaryDirectory(t);
  const anna = await testNode(t, { plugins: PLUGINS });
  const bert = await spawn(t, dir, '127.0.0.1:0');
  await anna.run('follow.add', { target: `${bert.nodeId}@127.0.0.1:${bert.port}` });
  await killAndReturn(t, anna, bert, dir);
});
