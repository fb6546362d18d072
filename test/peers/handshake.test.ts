import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { meshNet, peersOf } from '../mesh/mesh-net.ts';

const ALL = ['peers', 'routing', 'lookup', 'mesh', 'social', 'presence', 'content', 'anchors'].map((name) =>
  fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url)),
);

interface Told extends Record<string, unknown> {
  sections: Record<string, unknown>;
}

/** What a node tells in handshakes from now on. */
function handshakesOf(node: TestNode): Told[] {
  const told: Told[] = [];
  const { network } = node.kernel;
  const sendTo = network.sendTo.bind(network);
  Object.assign(network, {
    sendTo: (to: never, message: { name: string }, body: Told, options: never) => {
      if (message.name === 'InitialExchange') told.push(body);
      return sendTo(to, message as never, body as never, options);
    },
  });
  return told;
}

test('a handshake tells version, features, profile, N1, N2, deletes, addresses and how the other is seen (CONN-18)', async (t) => {
  const net = meshNet(t);
  const [anna, bert, carl] = [
    await net.add({ name: 'anna', plugins: ALL }),
    await net.add({ name: 'bert', plugins: ALL }),
    await net.add({ name: 'carl', plugins: ALL }),
  ];
  await anna.run('profile.set', { name: 'Anna', bio: 'Likes bread' });
  await anna.run('peer.connect', { target: carl.connectString });
  await net.advance(150_000);
  const told = handshakesOf(anna);
  const frames: string[] = [];
  const stop = anna.kernel.trace.subscribe((records) => {
    for (const { code, direction, stream } of records) if (code === '0x02') frames.push(`${direction} ${stream}`);
  });
  t.teardown(stop);
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(1_000);
  t.deepEqual(frames, ['out bi', 'in bi'], 'both sides tell');
  const [handshake] = told as [Told];
  t.like(handshake, {
    protocol: 1,
    node_id: anna.id,
    nplus10: [anna.id],
    your_observed_addr: bert.address,
    addresses: [anna.address],
  });
  t.is(typeof handshake.nat_type, 'string');
  t.true((handshake.features as string[]).includes('NodeListUpdate'));
  const { profile, routes, deletes, address } = handshake.sections as Record<string, Record<string, unknown>>;
  t.like(profile, { author: anna.id, name: 'Anna', bio: 'Likes bread' });
  t.like(routes, { n1_added: [carl.id] });
  t.true('n2_added' in (routes ?? {}));
  t.deepEqual(deletes, { deletes: [] });
  t.like(address, { node_id: anna.id });
  // H5: never N3, follows or whom she knows socially.
  t.deepEqual(Object.keys(handshake.sections).sort(), [
    'address',
    'anchor',
    'deletes',
    'following',
    'profile',
    'routes',
  ]);
  t.deepEqual(handshake.sections.following, { following: false });
});

test('a list of peers tells kind and slot, address, activity and age of each connection (MESH-04)', async (t) => {
  const net = meshNet(t);
  const [anna, bert] = await net.start('anna', 'bert');
  const connectedAt = net.clock.now();
  await anna.run('peer.connect', { target: bert.connectString });
  await net.advance(100_000);
  const [peer] = await peersOf(anna);
  t.like(peer, { node_id: bert.id, kind: 'mesh', slot: 'non-preferred', remote_addr: bert.address });
  t.true(Math.abs((peer?.connected_at_ms ?? 0) - connectedAt) < 1_000);
  t.true((peer?.last_activity_ms ?? 0) > net.clock.now() - 35_000);
});

test('growth tells whom it would try next, best first, and why (CONN-02)', async (t) => {
  const net = meshNet(t);
  const all: TestNode[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const node = await net.add({ name });
    await node.configure('mesh', { growth: false });
    all.push(node);
  }
  // a knows b and c; both report d, only c reports e, and neither is in N3.
  const [a, b, c, d, e] = all as [TestNode, TestNode, TestNode, TestNode, TestNode];
  for (const [from, to] of [
    [b, d],
    [c, d],
    [c, e],
    [a, b],
    [a, c],
  ] as const) {
    await from.run('peer.connect', { target: to.connectString });
  }
  await net.advance(130_000);
  const { candidates } = await a.run<{ candidates: { node_id: string; score: number }[] }>('growth.explain');
  t.deepEqual(
    candidates.map(({ node_id, score }) => [node_id, score]),
    [
      [e.id, 1.3],
      [d.id, 0.8],
    ],
  );
});
