import test from 'ava';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { CORE, meshCounters, meshNet, peerIds, reloadMesh } from '../mesh/mesh-net.ts';

const FINDER = new URL('../mesh/finder', import.meta.url);

/** a - b - c - d - e, each knowing three hops. */
async function chain(net: TestNetwork): Promise<TestNode[]> {
  const nodes: TestNode[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) nodes.push(await net.add({ name, builtin: CORE }));
  // Left to itself mesh would make everybody everybody's neighbour.
  for (const node of nodes) await node.configure('mesh', { growth: false });
  for (const [i, node] of nodes.slice(1).entries()) {
    await nodes[i]?.run('peer.connect', { target: node.connectString });
  }
  await net.advance(300_000);
  return nodes;
}

async function layers(from: TestNode, targets: readonly TestNode[]): Promise<string[]> {
  const found: string[] = [];
  for (const { id } of targets) {
    found.push((await from.run<{ layer: string }>('peer.reach', { node_id: id })).layer);
  }
  return found;
}

test('nodes know what lies within three hops, and a swap forgets nothing of it', async (t) => {
  const net = meshNet(t);
  const [a, ...others] = (await chain(net)) as [TestNode, ...TestNode[]];
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
  const told = meshCounters(a);
  t.is((await reloadMesh(a)).outcome, 'committed');
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
  await net.advance(240_000);
  t.is(meshCounters(a)['lists-sent.whole'], told['lists-sent.whole'], 'nobody needs the whole lists for a swap');
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
});

test('what a peer reported is gone when it stops', async (t) => {
  const net = meshNet(t);
  const [a, b, ...others] = (await chain(net)) as [TestNode, TestNode, ...TestNode[]];
  await b.stop();
  await net.advance(1_000);
  t.deepEqual(await layers(a, [b, ...others]), ['none', 'none', 'none', 'none']);
  t.like(a.inspect('routing').diagnostics, { knowledge: { n3: 0 } });
});

test('a node is found by its id over two hops, and peer explain tells each step', async (t) => {
  const net = meshNet(t);
  const nodes = await chain(net);
  const [a, , , d, e] = nodes as [TestNode, TestNode, TestNode, TestNode, TestNode];
  await a.add(FINDER);
  await a.run('finder.connect', { node_id: d.id });
  t.true((await peerIds(a)).includes(d.id));
  const { resolutions } = await a.run<{ resolutions: { result: string; steps: { step: string; result: string }[] }[] }>(
    'peer.explain',
    { node_id: d.id },
  );
  t.is(resolutions.at(-1)?.result, 'ask-n3-chain');
  t.deepEqual(
    resolutions.at(-1)?.steps.map(({ result }) => result),
    ['nothing', 'nothing', 'connected'],
  );
  await net.advance(15_000);
  t.is((await layers(a, [e]))[0], 'n2');
});
