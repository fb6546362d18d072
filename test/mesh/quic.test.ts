import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { testNode } from '../rig/nodes.ts';
import type { TestNode } from '../rig/nodes.ts';
import { temporaryDirectory } from '../rig/temporary.ts';

const plugins = ['peers', 'routing', 'lookup', 'mesh', 'social', 'presence'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);
const LIMIT_MS = 20_000;

async function start(t: ExecutionContext, options: { dataDir?: string; bind?: string } = {}): Promise<TestNode> {
  return testNode(t, { plugins, ...options });
}

async function peerIds(node: TestNode): Promise<string[]> {
  return (await node.run<{ peers: { node_id: string }[] }>('peer.list')).peers.map(({ node_id }) => node_id);
}

/** Looks until the nodes are each other's only peer; says how long it took. */
async function untilPeers(t: ExecutionContext, a: TestNode, b: TestNode): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < LIMIT_MS) {
    const [ofA, ofB] = [await peerIds(a), await peerIds(b)];
    if (ofA.join() === b.nodeId && ofB.join() === a.nodeId) {
      t.pass();
      return performance.now() - startedMs;
    }
    await sleep(20);
  }
  t.fail(`no peers after ${LIMIT_MS} ms: ${await peerIds(a)} / ${await peerIds(b)}`);
  return LIMIT_MS;
}

test('two nodes over QUIC connect, exchange profiles and lists, and survive reloads on both sides', async (t) => {
  const [anna, bert] = [await start(t), await start(t)];
  await bert.run('profile.set', { name: 'Bert' });
  const added = await anna.run('follow.add', { target: bert.connectString });
  t.like(added, { node_id: bert.nodeId, connected: true });
  await untilPeers(t, anna, bert);
  t.like(await anna.run('profile.show', { node_id: bert.nodeId }), { name: 'Bert' });
  const before = anna.network.connections().map(({ id }) => id);
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.all(
      [anna, bert].flatMap((node) => [node.host.reload('mesh'), node.host.reload('social')]),
    );
    for (const { outcome, reason } of outcomes) t.is(outcome, 'committed', reason);
    await bert.run('profile.set', { name: `Bert ${round}` });
  }
  await untilPeers(t, anna, bert);
  t.deepEqual(
    anna.network.connections().map(({ id }) => id),
    before,
  );
  const startedMs = performance.now();
  while (
    (await anna.run('profile.show', { node_id: bert.nodeId })).name !== 'Bert 4' &&
    performance.now() - startedMs < LIMIT_MS
  ) {
    await sleep(10);
  }
  t.like(await anna.run('profile.show', { node_id: bert.nodeId }), { name: 'Bert 4' });
});

test('over QUIC peers find each other again after a broken connection and after a restart of either', async (t) => {
  const dirs = [temporaryDirectory(t), temporaryDirectory(t)] as const;
  let anna = await start(t, { dataDir: dirs[0] });
  let bert = await start(t, { dataDir: dirs[1] });
  const binds = [anna, bert].map(({ network }) => `127.0.0.1:${network.port}`);
  await anna.run('peer.connect', { target: bert.connectString });
  await untilPeers(t, anna, bert);

  for (const { id } of bert.network.connections()) bert.network.close(id, 'done');
  t.log(`after a cut: ${Math.round(await untilPeers(t, anna, bert))} ms`);

  await bert.stop();
  bert = await start(t, { dataDir: dirs[1], bind: binds[1] ?? '' });
  t.log(`after the dialled side restarted: ${Math.round(await untilPeers(t, anna, bert))} ms`);

  await anna.stop();
  anna = await start(t, { dataDir: dirs[0], bind: binds[0] ?? '' });
  t.log(`after the dialling side restarted: ${Math.round(await untilPeers(t, anna, bert))} ms`);
});

test('both nodes dialling each other at the same time end up with one connection', async (t) => {
  const [anna, bert] = [await start(t), await start(t)];
  await Promise.all([
    anna.run('peer.connect', { target: bert.connectString }),
    bert.run('peer.connect', { target: anna.connectString }),
  ]);
  await untilPeers(t, anna, bert);
  await sleep(500);
  t.is(anna.network.connections().length, 1);
  t.is(bert.network.connections().length, 1);
});
