import test from 'ava';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { isDialable } from '../../kernel/transport/address.ts';
import type { MeshContext } from '../../plugins/mesh/context.ts';
import { Growth } from '../../plugins/mesh/growth/growth.ts';
import { GrowthLoop } from '../../plugins/mesh/growth/growth-loop.ts';
import { DialBudget } from '../../plugins/peers/dial-budget.ts';
import { Connector } from '../../plugins/peers/connector.ts';
import { DialPurposes } from '../../plugins/peers/dial-purposes.ts';
import { History } from '../../plugins/peers/history.ts';
import { PeerSessions } from '../../plugins/peers/sessions.ts';
import { initialExchange } from '../../plugins/peers/messages.ts';
import { MeshSessions } from '../../plugins/mesh/sessions.ts';
import type { ConnectRequest } from '../../plugins/peers/api.ts';
import { nodeIds } from '../routing/ids.ts';
import { meshNet } from './mesh-net.ts';

/** Growth whose dials all fail, told leads by a peer seen at `seenAt`. */
function told(seenAt: string, treatAsPublic: readonly string[] = []) {
  const clock = new VirtualClock();
  const counters = createCounters().of('mesh');
  const dialled: string[] = [];
  const tellers = new Set<NodeId>();
  const fail = () => Promise.reject(new Error('nobody there'));
  const background: Promise<unknown>[] = [];
  const mesh = {
    ctx: {
      clock,
      counters,
      random: seededRandom('leads'),
      signal: new AbortController().signal,
      config: { growth: true },
      background: (_what: string, work: Promise<unknown>) => void background.push(work),
    },
    network: {
      self: { nodeId: '' },
      connectionsOf: (nodeId: NodeId) => (tellers.has(nodeId) ? [{ remoteAddr: seenAt }] : []),
      dial: ({ addresses }: { addresses: readonly string[] }) => {
        dialled.push(...addresses);
        return fail();
      },
      mayDial: (address: string, from: string) => isDialable(address, from, treatAsPublic),
    },
  } as unknown as MeshContext;
  const growth = new Growth({
    clock,
    knowledge: { candidates: () => [], reporters: () => [] },
    room: () => ({ used: 0, limit: 101 }),
    isUnwanted: () => false,
  });
  const purposes = new DialPurposes();
  const connector = new Connector(mesh as never, {
    sessions: new PeerSessions(),
    store: {} as never,
    history: new History(),
    budget: new DialBudget(clock),
    purposes,
    dialled: () => {},
  });
  const loop = new GrowthLoop(mesh, {
    growth,
    slots: {} as never,
    sessions: new MeshSessions(),
    redirects: {} as never,
    // What growth looks for when no address may be dialled is another test's subject.
    neighbours: { connect: (request: ConnectRequest) => connector.connect({ ...request, search: false }) } as never,
  });
  const lead = async (nodeId: NodeId, addresses: readonly string[], from: NodeId) => {
    tellers.add(from);
    growth.offer({ nodeId, addresses, from });
    // As a list or a rebalance would: what failed before does not count.
    growth.request();
    loop.run();
    await Promise.allSettled(background.splice(0));
  };
  return { lead, dialled };
}

const NARROW = [
  '127.0.0.1:22',
  '[::1]:22',
  '10.1.2.3:22',
  '192.168.0.1:80',
  '[fd00::1]:80',
  '[fe80::1]:80',
  '224.0.0.251:5353',
  '[ff02::fb]:5353',
  '0.0.0.0:4433',
  '[::]:4433',
  '[::ffff:127.0.0.1]:22',
  'localhost:22',
];

test('leads of a public peer are dialled at public addresses only', async (t) => {
  const { lead, dialled } = told('198.51.100.7:4433', ['198.51.100.0/24']);
  const [liar, ...names] = nodeIds('narrow', 20) as [NodeId, ...NodeId[]];
  for (const [n, address] of NARROW.entries()) await lead(names[n] as NodeId, [address], liar);
  t.deepEqual(dialled, []);
  await lead(names[15] as NodeId, [...NARROW, '8.8.8.8:4433', '198.51.100.9:4433'], liar);
  t.deepEqual(dialled, ['8.8.8.8:4433', '198.51.100.9:4433']);
});

test('leads of a peer in the LAN may lead into the LAN', async (t) => {
  const { lead, dialled } = told('192.168.0.7:4433');
  const [friend, one] = nodeIds('lan', 2) as [NodeId, NodeId];
  await lead(one, ['192.168.0.9:4433', '224.0.0.1:4433'], friend);
  t.deepEqual(dialled, ['192.168.0.9:4433']);
});

test('a hundred ids at one address of a stranger cost it three dials, a hundred ports of its host twenty', async (t) => {
  const { lead, dialled } = told('198.51.100.7:4433');
  const [liar, ...names] = nodeIds('hammer', 201) as [NodeId, ...NodeId[]];
  for (const nodeId of names.slice(0, 100)) await lead(nodeId, ['8.8.8.8:53'], liar);
  t.is(dialled.length, 3);
  for (const [n, nodeId] of names.slice(100).entries()) await lead(nodeId, [`8.8.8.8:${1_000 + n}`], liar);
  t.is(dialled.length, 20);
});

test('a peer that claims a stranger’s address has it dialled three times in ten minutes, itself as often as it takes', async (t) => {
  const net = meshNet(t);
  const anna = await net.add({ name: 'anna' });
  const mallory = await net.add({ name: 'mallory' });
  await anna.run('peer.connect', { target: mallory.connectString });
  const claim = {
    protocol: 1,
    node_id: mallory.id,
    device_id: mallory.kernel.self.deviceId,
    features: [],
    features_revision: 9,
    nplus10: [],
    nat_type: 'public',
    addresses: ['8.8.8.8:53'],
    your_observed_addr: '',
    sections: {},
  };
  await net.wait(mallory.kernel.network.sendTo(anna.id, initialExchange, claim));
  await mallory.stop();
  const before = net.dials.length;
  await net.advance(9 * 60_000);
  const dials = net.dials.slice(before);
  t.is(dials.filter(({ to }) => to.includes('8.8.8.8')).length, 3);
  t.true(dials.filter(({ to }) => to.includes(mallory.host)).length > 5);
});
