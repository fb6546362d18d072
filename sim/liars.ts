import type { NodeId } from '../kernel/sdk/identifiers.ts';
import { nodeListUpdate } from '../plugins/routing/messages.ts';
import { refuseRedirect } from '../plugins/mesh/messages.ts';
import type { RefuseRedirectBody } from '../plugins/mesh/messages.ts';
import type { Machine } from '../kernel/testing/machine.ts';
import type { World } from './world.ts';

/** What a liar says lies around it: ids nobody has, real nodes that it is not connected to, or its accomplices alone. */
export type Lie = 'invented-ids' | 'fake-n2' | 'accomplices';

/** Whom a liar sends those to whom it gives no slot: the next of its circle, or an invented id at a stranger's address. */
export type Misdirection = 'next-liar' | 'stranger';

/** No machine is ever here: who dials it does so on the word of a liar. */
const STRANGER = '150.0.0.1:53';
/** Revisions of lies begin here, above those of its own node, which it takes from the clock: what that says is stale then. */
const LIES_FROM = 2 ** 52;

/** The machine tells all its peers that these are its N1 and N2, in place of the truth. */
export function tellLies(world: World, liar: Machine, lie: Lie, count: number, revision: number): void {
  const { node } = liar;
  if (node === undefined) return;
  const ids = falseNeighbours(world, liar, lie, count);
  const body = { revision: LIES_FROM + revision, n1_added: ids, n2_added: ids };
  for (const { id, peer } of node.network.connections()) {
    node.network.sendTo(peer, nodeListUpdate, body, { connectionId: id }).catch(() => {
      world.countRefusal('lie');
    });
  }
}

/** From now on, until they stop: what these nodes say when they are full leads nowhere. */
export function misdirect(world: World, circle: readonly Machine[], to: Misdirection): void {
  for (const [at, { node }] of circle.entries()) {
    if (node === undefined) continue;
    const { network } = node;
    const next = circle[(at + 1) % circle.length] as Machine;
    const send = network.sendTo.bind(network);
    network.sendTo = (peer, message, body, options) => {
      const isRedirect = message.name === refuseRedirect.name;
      return send(peer, message, isRedirect ? (falseRedirect(world, next, to) as typeof body) : body, options);
    };
  }
}

/** Dials the victim again whenever it got rid of this one. */
export function besiege(world: World, liar: Machine, victim: Machine): void {
  const isConnected = liar.node?.network.connections().some(({ peer }) => peer.nodeId === victim.nodeId);
  if (liar.node === undefined || isConnected) return;
  world.command(liar, 'peer.connect', { target: victim.connectString });
}

function falseNeighbours(world: World, liar: Machine, lie: Lie, count: number): string[] {
  if (lie === 'invented-ids') return Array.from({ length: count }, () => inventId(world));
  if (lie === 'accomplices')
    return world
      .select('liars')
      .map(({ nodeId }) => nodeId)
      .slice(0, count);
  const near = new Set<NodeId>(liar.node?.network.connections().map(({ peer }) => peer.nodeId));
  const far = world.machines.filter(({ nodeId }) => !near.has(nodeId));
  return world.sample(far, count, liar).map(({ nodeId }) => nodeId);
}

function falseRedirect(world: World, next: Machine, to: Misdirection): RefuseRedirectBody {
  if (to === 'stranger') return { alternative: inventId(world), addresses: [STRANGER] };
  return { alternative: next.nodeId, addresses: [next.address] };
}

function inventId(world: World): NodeId {
  return Buffer.from(world.random.bytes(32)).toString('hex') as NodeId;
}
