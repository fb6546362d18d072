import test from 'ava';
import type { TestNetwork, TestNode } from '../../kernel/testing/index.ts';
import { anchorRegister, referralRequest } from '../../plugins/anchors/messages.ts';
import { anchorNet, anchorNode, peerIds } from './anchor-net.ts';
import { CORE } from '../mesh/mesh-net.ts';

interface Dump {
  uses_max: number;
  referrals: { node_id: string; addresses: string[]; use_count: number; disconnected_at?: number }[];
}

const dump = (anchor: TestNode) => anchor.run<Dump>('anchor.referrals');

/** A node of mesh alone, connected to the anchor: the test speaks for it. */
async function newcomer(net: TestNetwork, anchor: TestNode, name: string): Promise<TestNode> {
  const node = await anchorNode(net, name, { builtin: CORE });
  await node.run('peer.connect', { target: anchor.connectString });
  return node;
}

async function register(net: TestNetwork, anchor: TestNode, node: TestNode, addresses = [node.address]): Promise<void> {
  await net.wait(node.kernel.network.sendTo(anchor.id, anchorRegister, { addresses }));
  await net.advance(100);
}

async function request(net: TestNetwork, anchor: TestNode, node: TestNode): Promise<string[]> {
  const { referrals } = await net.wait(node.kernel.network.sendTo(anchor.id, referralRequest, {}));
  return referrals.map(({ node_id }) => node_id);
}

for (const [registrants, meshPeers, given] of [
  [0, 6, 5],
  [1, 6, 5],
  [2, 6, 5],
  [3, 6, 5],
  [3, 20, 3],
] as const) {
  test(`${registrants} waiting, ${meshPeers} mesh peers: ${given - registrants} of those are added`, async (t) => {
    const net = anchorNet(t);
    const anchor = await anchorNode(net, 'anchor');
    for (let at = 0; at < meshPeers; at++) await newcomer(net, anchor, `peer${at}`);
    const waiting = [];
    for (let at = 0; at < registrants; at++) {
      const node = await newcomer(net, anchor, `waiting${at}`);
      await register(net, anchor, node);
      waiting.push(node.id);
    }
    const asker = await newcomer(net, anchor, 'asker');
    const answer = await request(net, anchor, asker);
    t.is(answer.length, given);
    t.deepEqual(answer.slice(0, registrants).sort(), waiting.sort());
    t.false(answer.includes(asker.id));
    t.is(new Set(answer).size, answer.length);
  });
}

test('who disconnects stays on the list for two minutes, and is not given out after', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const node = await newcomer(net, anchor, 'node');
  await register(net, anchor, node);
  await node.stop();
  await net.advance(119_000);
  t.is((await dump(anchor)).referrals.length, 1);
  t.true(((await dump(anchor)).referrals[0]?.disconnected_at ?? 0) > 0);
  await net.advance(2_000);
  t.is((await dump(anchor)).referrals.length, 0);
});

test('the list is handed over in a swap, and empty after a restart', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const node = await newcomer(net, anchor, 'node');
  await register(net, anchor, node);
  t.is((await anchor.reload('anchors')).outcome, 'committed');
  t.is((await dump(anchor)).referrals.length, 1);
  await anchor.stop();
  const again = await net.restart(anchor);
  t.is((await dump(again)).referrals.length, 0);
});

test('while a node waits, the anchor tells it of who asked: both dial', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const waiting = await anchorNode(net, 'waiting', { anchors: [anchor.connectString] });
  await net.advance(3_000);
  // The way from the asker is blocked, as by a firewall: only the waiting one gets through.
  net.memory.route = (from, to) =>
    from.host === '5.0.0.3' && to.host === waiting.host ? undefined : { to, seenAs: from };
  const asker = await anchorNode(net, 'asker', { anchors: [anchor.connectString] });
  await net.advance(20_000);
  t.true((await peerIds(asker)).includes(waiting.id));
  t.is(anchor.counters('anchors')['matches-made'], 1);
});

test('an anchor that is full of mesh peers still serves referrals, over a session', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor', { config: { mesh: { maxMesh: 2 } } });
  for (let at = 0; at < 2; at++) await newcomer(net, anchor, `peer${at}`);
  const late = await newcomer(net, anchor, 'late');
  await register(net, anchor, late);
  t.is((await dump(anchor)).referrals.length, 1);
  t.is((await request(net, anchor, late)).length, 2);
  t.is(anchor.connections().filter(({ kind }) => kind === 'mesh').length, 2);
});

test('twelve nodes that know one anchor all find each other within ten minutes', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  const nodes: TestNode[] = [anchor];
  for (let at = 0; at < 11; at++) nodes.push(await anchorNode(net, `n${at}`, { anchors: [anchor.connectString] }));
  const startedMs = net.clock.now();
  const fewest = async () => {
    const counts: number[] = [];
    for (const node of nodes) counts.push(new Set(await peerIds(node)).size);
    return Math.min(...counts);
  };
  while ((await fewest()) < 11 && net.clock.now() - startedMs < 600_000) await net.advance(5_000);
  t.is(await fewest(), 11);
  t.log(`complete after ${(net.clock.now() - startedMs) / 1_000} s`);
});

test('an anchor with two peers lets ten newcomers grow to five peers each', async (t) => {
  const net = anchorNet(t);
  const anchor = await anchorNode(net, 'anchor');
  for (let at = 0; at < 2; at++) await newcomer(net, anchor, `old${at}`);
  const nodes: TestNode[] = [];
  for (let at = 0; at < 10; at++) nodes.push(await anchorNode(net, `n${at}`, { anchors: [anchor.connectString] }));
  await net.advance(600_000);
  for (const node of nodes) t.true((await peerIds(node)).length >= 5, node.name);
});
