import { nodeListUpdate } from '../plugins/mesh/knowledge/messages.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

/** What a liar says lies around it: ids nobody has, or its accomplices alone. */
export type Lie = 'invented-ids' | 'accomplices';

/** The machine tells all its peers that these are its N1 and N2, in place of the truth. */
export function tellLies(world: World, liar: Machine, lie: Lie, count: number, revision: number): void {
  const { node } = liar;
  if (node === undefined) return;
  const ids = lie === 'accomplices' ? world.select('liars').map(({ nodeId }) => nodeId) : inventIds(world, count);
  // Above any revision that its own node reaches.
  const body = { revision: 1_000_000 + revision, n1_added: ids.slice(0, count), n2_added: ids.slice(0, count) };
  for (const { id, peer } of node.network.connections()) {
    node.network.sendTo(peer, nodeListUpdate, body, { connectionId: id }).catch(() => {
      world.countRefusal('lie');
    });
  }
}

/** Dials the victim again whenever it got rid of this one. */
export function besiege(world: World, liar: Machine, victim: Machine): void {
  const isConnected = liar.node?.network.connections().some(({ peer }) => peer.nodeId === victim.nodeId);
  if (liar.node === undefined || isConnected) return;
  world.command(liar, 'peer.connect', { target: victim.connectString });
}

function inventIds(world: World, count: number): string[] {
  return Array.from({ length: count }, () => Buffer.from(world.random.bytes(32)).toString('hex'));
}
