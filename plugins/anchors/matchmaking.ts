import { BoundedMap, codeOf } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import type { AnchorsContext } from './context.ts';
import type { Referral } from './messages.ts';
import type { Place, PeerDirectory } from './peer-directory.ts';

/** Anchors whose word of a match counts, the latest. */
const WAITING_AT_MAX = 8;
/** A lying anchor can have us dial one machine this often; loopback ones are counted by port. */
export const ANCHOR_WORD_LIMITS = { group: 'anchor-word', perSite: 4, total: 120 };

/** The newcomer's side of matchmaking: dials whom an anchor tells of, within bounds (ANCH-23). */
export class Matchmaking {
  readonly #anchors: AnchorsContext;
  readonly #directory: PeerDirectory;
  readonly #waitingAt = new BoundedMap<NodeId, true>(WAITING_AT_MAX);

  constructor(anchors: AnchorsContext, directory: PeerDirectory) {
    this.#anchors = anchors;
    this.#directory = directory;
  }

  /** Anchors that have us on their list: only they may tell us of a match. */
  waitingAt(): readonly NodeId[] {
    return [...this.#waitingAt.keys()];
  }

  restore(waitingAt: readonly NodeId[]): void {
    for (const nodeId of waitingAt) this.waitAt(nodeId);
  }

  waitAt(anchor: NodeId): void {
    this.#waitingAt.set(anchor, true);
  }

  /** An anchor gave our address to somebody: dials it back, so that a firewall on either side opens. */
  matched(referral: Referral, call: IncomingCall): void {
    const { ctx } = this.#anchors;
    const nodeId = referral.node_id;
    if (!this.#waitingAt.has(call.peer.nodeId)) {
      ctx.counters.add('matches-unasked');
      return;
    }
    if (nodeId === ctx.self.nodeId || this.#directory.isConnected(nodeId)) return;
    const work = this.#directory
      .reach(placeToldBy(call.peer.nodeId, nodeId, referral.addresses), 'match', ctx.signal)
      .then(
        () => ctx.counters.add('matches-met'),
        (error) => ctx.counters.add(`matches-missed.${codeOf(error)}`),
      );
    this.#anchors.ctx.background('match', work);
  }
}

/** Where an anchor says that a node is. */
export function placeToldBy(by: NodeId, nodeId: NodeId, addresses: readonly string[]): Place {
  const told = { by, limits: ANCHOR_WORD_LIMITS };
  return { nodeId, addresses, told };
}
