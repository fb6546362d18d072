import test from 'ava';
import type { TestNode } from '../../kernel/testing/index.ts';
import { socketAddress } from '../../kernel/transport/address.ts';
import { meshNet } from './mesh-net.ts';

const slotsOf = (node: TestNode) => node.run<{ held: number; connections: Record<string, string[]> }>('mesh.slots');

test('one address took 100 of 101 mesh slots', async (t) => {
  const net = meshNet(t, { config: { mesh: { growth: false } } });
  const hub = await net.add({ name: 'hub' });
  const household: TestNode[] = [];
  for (let n = 0; n < 8; n++) household.push(await net.add({ name: `crowd ${n}` }));
  const guest = await net.add({ name: 'guest' });
  const crowded = new Set(household.map(({ machine }) => machine.host));
  const ports = [...crowded];
  net.memory.route = (from, to) => ({
    to,
    seenAs: crowded.has(from.host) ? socketAddress('203.0.113.9', 1_024 + ports.indexOf(from.host)) : from,
  });
  for (const node of household) await node.run('peer.connect', { target: hub.connectString });
  t.like(await slotsOf(hub), { held: 4 });
  await guest.run('peer.connect', { target: hub.connectString });
  const { held, connections } = await slotsOf(hub);
  t.is(held, 5);
  t.true(connections.mesh?.includes(guest.id));
  t.is(connections.session?.length, 4, 'they are peers all the same');
});
