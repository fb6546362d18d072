import { codeOf } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import { ownAddresses } from './address-rules.ts';
import type { AnchorsContext } from './context.ts';
import { anchorMatch } from './messages.ts';
import type { Referral } from './messages.ts';
import { ReferralList } from './referral-list.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { AnchorGossip } from './anchor-gossip.ts';

/**
 * With fewer explicit entries the answer is topped up (ANCH-22), to so many in all; and so it is by an
 * anchor with few mesh peers, from which newcomers learn too little to grow (ANCH-17).
 */
const SPARSE_BELOW = 3;
const FRESH_BELOW_MESH = 20;
const TOPPED_UP_TO = 5;

/** The anchor's side: who waits here, and who is told of whom. Every node has it; only those dialled use it. */
export class ReferralServer {
  readonly list: ReferralList;
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;
  readonly #gossip: AnchorGossip;

  constructor(anchors: AnchorsContext, directory: PeerDirectory, gossip: AnchorGossip) {
    this.list = new ReferralList(anchors.network);
    this.#anchors = anchors;
    this.#directory = directory;
    this.#gossip = gossip;
  }

  /** Only addresses on the machine it is seen at are passed on: a registrant names no strangers. */
  register(claimed: readonly string[], call: IncomingCall): void {
    const { ctx, network } = this.#anchors;
    const seenAt = network.connection(call.connectionId)?.remoteAddr;
    if (seenAt === undefined) return;
    const addresses = ownAddresses(network, claimed, seenAt);
    if (claimed.some((address) => !addresses.includes(address))) ctx.counters.add('registered-addresses-left-out');
    if (addresses.length === 0) return;
    const taken = this.list.register(call.peer.nodeId, addresses, ctx.clock.now());
    ctx.counters.add(taken ? 'registrations' : 'registrations-refused');
  }

  /** The least used of the list, topped up from the mesh; those waiting are told of who asked (ANCH-23). */
  async refer(call: IncomingCall): Promise<{ referrals: Referral[] }> {
    const { ctx, network } = this.#anchors;
    const asker = call.peer.nodeId;
    const handed = this.list.handOut(asker, ctx.clock.now());
    const seenAt = network.connection(call.connectionId)?.remoteAddr;
    // Addresses of a LAN are told within it alone (H5); for the others a match makes the waiting one dial.
    const tellable = (addresses: readonly string[]): string[] =>
      addresses.filter((address) => network.mayDial(address, seenAt ?? ''));
    const referrals = handed.map(({ node_id, addresses }) => ({ node_id, addresses: tellable(addresses) }));
    const isSparse = referrals.length < SPARSE_BELOW || this.#directory.meshSize() < FRESH_BELOW_MESH;
    if (isSparse) {
      const added = await this.#topUp(asker, referrals);
      referrals.push(...added.map(({ node_id, addresses }) => ({ node_id, addresses: tellable(addresses) })));
    }
    ctx.counters.add('referrals-given', referrals.length);
    if (seenAt !== undefined && !this.#gossip.isAnchor(asker)) {
      const asked = { node_id: asker, addresses: ownAddresses(network, [], seenAt) };
      for (const { node_id } of handed) this.#introduce(node_id, asked);
    }
    return { referrals };
  }

  async #topUp(asker: NodeId, have: readonly Referral[]): Promise<Referral[]> {
    const { ctx, network } = this.#anchors;
    const taken = new Set<string>([asker, ...have.map(({ node_id }) => node_id)]);
    const pool = this.#directory.meshConnections().filter(({ peer }) => !taken.has(peer.nodeId));
    const added: Referral[] = [];
    while (pool.length > 0 && have.length + added.length < TOPPED_UP_TO) {
      const [{ peer, remoteAddr }] = pool.splice(ctx.random.integer(pool.length), 1) as [(typeof pool)[number]];
      if (taken.has(peer.nodeId)) continue;
      taken.add(peer.nodeId);
      const addresses = ownAddresses(network, await this.#directory.addresses(peer.nodeId), remoteAddr);
      if (addresses.length > 0) added.push({ node_id: peer.nodeId, addresses });
    }
    return added;
  }

  #introduce(waiting: NodeId, asker: Referral): void {
    const { ctx } = this.#anchors;
    if (asker.addresses.length === 0 || this.#gossip.isAnchor(waiting)) return;
    const tell = async (): Promise<void> => {
      const toldTo = this.#directory.seenAt(waiting);
      const addresses = asker.addresses.filter((address) => this.#anchors.network.mayDial(address, toldTo));
      if (addresses.length === 0 || !(await this.#directory.supports(waiting, anchorMatch))) return;
      await ctx.send(waiting, anchorMatch, { ...asker, addresses }, { signal: ctx.signal });
      ctx.counters.add('matches-made');
    };
    this.#anchors.ctx.background(
      'match',
      tell().catch((error) => ctx.counters.add(`matches-failed.${codeOf(error)}`)),
    );
  }
}
