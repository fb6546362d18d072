import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { TestNode } from '../../kernel/testing/index.ts';
import { N1_SHARE_MAX, N2_SHARE_MAX } from '../../plugins/routing/id-list.ts';
import { nodeListUpdate } from '../../plugins/routing/messages.ts';
import type { NodeLists } from '../../plugins/routing/messages.ts';
import { nodeIds } from '../routing/ids.ts';
import { anchorNet, anchorNode } from '../anchors/anchor-net.ts';
import { meshCounters } from '../mesh/mesh-net.ts';

/** Lets out what an honest sender's own schema would not. */
const anyList = { ...nodeListUpdate, body: Type.Unknown() };

/** anna and a peer of hers who says of its neighbours what the test likes. */
async function siege(t: ExecutionContext, growth = false) {
  const net = anchorNet(t);
  const config = { mesh: { growth } };
  const [anna, mallory] = [await anchorNode(net, 'anna', { config }), await anchorNode(net, 'mallory', { config })] as [
    TestNode,
    TestNode,
  ];
  await mallory.run('peer.connect', { target: anna.connectString });
  await net.advance(1_000);
  let revision = net.clock.now() + 1_000_000;
  const say = async (lists: Omit<NodeLists, 'revision'>, base?: number) => {
    revision++;
    const body = { ...lists, revision, ...(base === undefined ? {} : { base }) };
    await net.wait(mallory.kernel.network.sendTo(anna.id, anyList, body));
    await net.advance(100);
  };
  const known = () => anna.inspect('routing').diagnostics.knowledge as { n2: number; n3: number };
  const layerOf = async (node_id: NodeId) => (await anna.run<{ layer: string }>('peer.reach', { node_id })).layer;
  return { net, anna, say, known, layerOf, revision: () => revision };
}

for (const [what, lists] of Object.entries({
  N1: { n1_added: nodeIds('n1', N1_SHARE_MAX + 1) },
  N2: { n2_added: nodeIds('n2', N2_SHARE_MAX + 1) },
  'removed N1': { n1_added: nodeIds('few', 3), n1_removed: nodeIds('n1', N1_SHARE_MAX + 1) },
  'packed N1': { n1_added: Buffer.alloc((N1_SHARE_MAX + 1) * 32, 7).toString('base64') },
  'packed N2': { n2_added: Buffer.alloc((N2_SHARE_MAX + 1) * 16, 7).toString('base64') },
})) {
  test(`a list of ${what} over the cap is refused whole`, async (t) => {
    const { say, known } = await siege(t);
    await say(lists);
    t.like(known(), { n2: 0, n3: 0 });
    await say({ n1_added: nodeIds('fine', 5) });
    t.like(known(), { n2: 5 });
  });
}

test('lists that stay under the cap one by one do not add up to more', async (t) => {
  const { net, say, known, revision } = await siege(t);
  const ids = nodeIds('n1', 4 * 1_000);
  await say({ n1_added: ids.slice(0, 1_000) });
  for (let at = 1; at < 4; at++) {
    await net.advance(5_000);
    await say({ n1_added: ids.slice(at * 1_000, (at + 1) * 1_000) }, revision());
  }
  await net.advance(1_000);
  t.is(known().n2, N1_SHARE_MAX);
});

test('ids that do not exist are candidates for a while, and cost who named them its budget', async (t) => {
  const { net, anna, say, layerOf } = await siege(t, true);
  const ids = nodeIds('nobody', 1_500);
  await say({ n1_added: ids });
  await net.advance(20 * 60_000);
  t.true((meshCounters(anna)['reporters-judged.refuted'] ?? 0) >= 2, 'it was asked where they are');
  let left = 0;
  for (const id of ids) if ((await layerOf(id)) !== 'none') left++;
  t.true(left <= N1_SHARE_MAX / 4, `${left} left of 1,500`);
});

test('a list that names us, and nobody, and everybody twice, is what it is worth', async (t) => {
  const { net, anna, say, known } = await siege(t);
  const [one, two] = nodeIds('twice', 2) as [NodeId, NodeId];
  await say({ n1_added: [anna.id, one, two, one, two, one], n2_added: [anna.id, one] });
  await net.advance(100);
  t.is(known().n2, 2);
});
