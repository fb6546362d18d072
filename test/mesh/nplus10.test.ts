import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import type { ExecutionContext } from 'ava';
import { nplus10Notice } from '../../plugins/mesh/prefer/messages.ts';
import { anchorNet, anchorNode } from '../anchors/anchor-net.ts';
import { CORE, meshCounters, meshNet } from './mesh-net.ts';

const HOUR_MS = 3_600_000;
/** Whoever is refused in the first hour asks again in the second. */
const AGREED_MS = 75 * 60_000;

interface Sent {
  name: string;
  to: string;
  body: Record<string, unknown>;
}

/** Keeps what a node asks the kernel to send. */
function listen(node: TestNode): Sent[] {
  const sent: Sent[] = [];
  const { network } = node.kernel;
  const sendTo = network.sendTo.bind(network);
  Object.assign(network, {
    sendTo: (to: string | { nodeId: string }, message: { name: string }, body: Sent['body'], options: never) => {
      sent.push({ name: message.name, to: typeof to === 'string' ? to : to.nodeId, body });
      return sendTo(to as never, message as never, body as never, options);
    },
  });
  return sent;
}

const nplus10Of = async (node: TestNode): Promise<string[]> => [
  node.id,
  ...(await node.run<{ preferred: string[] }>('mesh.slots')).preferred,
];

/** Four nodes, each a preferred peer of each other; anna follows bert, and knows an anchor. */
async function friends(t: ExecutionContext) {
  const net = anchorNet(t);
  const names = ['anna', 'bert', 'carl', 'anchor'] as const;
  const nodes: TestNode[] = [];
  for (const name of names)
    nodes.push(await anchorNode(net, name, { builtin: [...CORE, 'social', 'presence', 'anchors'] }));
  const [anna, bert, carl, anchor] = nodes as [TestNode, TestNode, TestNode, TestNode];
  await anchor.run('anchor.declare', { state: 'on' });
  for (const node of [anna, bert, carl]) await node.run('peer.connect', { target: anchor.connectString });
  await anna.run('follow.add', { target: bert.connectString });
  await net.advance(2 * AGREED_MS);
  return { net, anna, bert, carl, anchor, nodes };
}

test('InitialExchange, check-in and registration name the preferred peers of now (NPT-01, NPT-02)', async (t) => {
  const { net, anna, bert, carl, anchor, nodes } = await friends(t);
  t.deepEqual((await anna.run<{ nplus10: string[] }>('mesh.slots')).nplus10, await nplus10Of(anna));
  t.deepEqual((await nplus10Of(anna)).sort(), nodes.map(({ id }) => id).sort());
  const sent = listen(anna);
  const told = (name: string, field = 'nplus10') =>
    sent
      .filter((one) => one.name === name)
      .map(({ body }) => (field === 'record' ? (body.record as Sent['body']).nplus10 : body[field]));

  await net.advance(3 * HOUR_MS);
  t.true(told('SocialCheckin', 'record').length > 0);
  t.deepEqual(told('SocialCheckin', 'record').at(-1), await nplus10Of(anna));

  await anna.run('mesh.unprefer', { node_id: carl.id });
  t.false((await nplus10Of(anna)).includes(carl.id));
  await anna.run('peer.disconnect', { node_id: bert.id });
  await anna.run('peer.connect', { target: bert.connectString });
  t.deepEqual(told('InitialExchange').at(-1), await nplus10Of(anna));
  await net.advance(4 * HOUR_MS);
  t.deepEqual(told('SocialCheckin', 'record').at(-1), await nplus10Of(anna));

  // Recovery is to come before mesh redials the anchor by itself.
  await anna.configure('peers', { redialBaseMs: 60_000 });
  for (const node of [bert, carl]) await node.stop();
  net.memory.breakConnections(anna.host, anchor.host);
  await net.advance(20_000);
  t.deepEqual(told('AnchorRegister').at(-1), await nplus10Of(anna));
});

test('a follower keeps up with the N+10 of whom it follows, and with the tree behind it (NPT-03, NPT-08)', async (t) => {
  const { net, anna, bert, carl, anchor } = await friends(t);
  const route = async () => (await anna.run<{ follows: { nplus10: string[] }[] }>('follow.list')).follows[0]?.nplus10;
  const tree = async () =>
    (await anna.run<{ preferred_tree: string[] }>('follow.show', { node_id: bert.id })).preferred_tree.sort();
  t.deepEqual(await route(), await nplus10Of(bert));
  await net.advance(3 * HOUR_MS);
  t.deepEqual(await tree(), [anna.id, carl.id, anchor.id].sort());

  const dora = await anchorNode(net, 'dora', { builtin: [...CORE, 'social', 'presence', 'anchors'] });
  await dora.run('peer.connect', { target: carl.connectString });
  await bert.run('mesh.unprefer', { node_id: anchor.id });
  await net.advance(2 * 60_000);
  t.deepEqual(await route(), await nplus10Of(bert));
  t.false((await route())?.includes(anchor.id));
  await net.advance(2 * AGREED_MS + 3 * HOUR_MS);
  t.true((await nplus10Of(carl)).includes(dora.id));
  t.true((await tree()).includes(dora.id), 'a preferred peer of a preferred peer');
});

test('an N+10 in the name of another is not taken', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  await bert.run('peer.connect', { target: anna.connectString });
  await net.advance(AGREED_MS);
  await net.wait(bert.kernel.network.sendTo(anna.id, nplus10Notice, { nplus10: [anna.id, bert.id] }));
  await net.advance(100);
  t.is(meshCounters(anna)['nplus10-unfit'], 1);
  t.true((await nplus10Of(anna)).includes(bert.id));
  // Who says that it does not prefer us has ended the agreement.
  await net.wait(bert.kernel.network.sendTo(anna.id, nplus10Notice, { nplus10: [bert.id] }));
  await net.advance(100);
  t.false((await nplus10Of(anna)).includes(bert.id));
});
