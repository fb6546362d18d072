import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FakeNet, PLUGINS } from './fake-net.ts';
import type { FakeNode } from './fake-net.ts';

const FINDER = fileURLToPath(new URL('./finder', import.meta.url));
const MESH_ONLY = PLUGINS.slice(0, 4);

/** a - b - c - d - e, each knowing three hops. */
async function chain(net: FakeNet): Promise<FakeNode[]> {
  const nodes: FakeNode[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) nodes.push(await net.node(name, { plugins: MESH_ONLY }));
  // Left to itself mesh would make everybody everybody's neighbour.
  for (const { node } of nodes) await net.clock.until(node.host.configure('mesh', { growth: false }));
  for (const [i, node] of nodes.slice(1).entries()) {
    await nodes[i]?.run('peer.connect', { target: node.connectString });
  }
  await net.clock.advance(300_000);
  return nodes;
}

async function layers(from: FakeNode, targets: readonly FakeNode[]): Promise<string[]> {
  const found: string[] = [];
  for (const { id } of targets) {
    found.push((await from.run<{ layer: string }>('peer.reach', { node_id: id })).layer);
  }
  return found;
}

test('nodes know what lies within three hops, and a swap forgets nothing of it', async (t) => {
  const net = new FakeNet(t);
  const [a, ...others] = (await chain(net)) as [FakeNode, ...FakeNode[]];
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
  const told = a.counters();
  t.is((await a.reload()).outcome, 'committed');
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
  await net.clock.advance(240_000);
  t.is(a.counters()['lists-sent.whole'], told['lists-sent.whole'], 'nobody needs the whole lists for a swap');
  t.deepEqual(await layers(a, others), ['n1', 'n2', 'n3', 'none']);
});

test('what a peer reported is gone when it stops', async (t) => {
  const net = new FakeNet(t);
  const [a, b, ...others] = (await chain(net)) as [FakeNode, FakeNode, ...FakeNode[]];
  await b.stop();
  await net.clock.advance(1_000);
  t.deepEqual(await layers(a, [b, ...others]), ['none', 'none', 'none', 'none']);
  t.like(a.node.host.diagnostics('routing'), { knowledge: { n3: 0 } });
});

test('a node is found by its id over two hops, and peer explain tells each step', async (t) => {
  const net = new FakeNet(t);
  const nodes = await chain(net);
  const [a, , , d, e] = nodes as [FakeNode, FakeNode, FakeNode, FakeNode, FakeNode];
  await net.clock.until(a.node.host.add(FINDER));
  await a.run('finder.connect', { node_id: d.id });
  t.true((await a.peerIds()).includes(d.id));
  const { resolutions } = await a.run<{ resolutions: { result: string; steps: { step: string; result: string }[] }[] }>(
    'peer.explain',
    { node_id: d.id },
  );
  t.is(resolutions.at(-1)?.result, 'ask-n3-chain');
  t.deepEqual(
    resolutions.at(-1)?.steps.map(({ result }) => result),
    ['nothing', 'nothing', 'connected'],
  );
  await net.clock.advance(15_000);
  t.is((await layers(a, [e]))[0], 'n2');
});
