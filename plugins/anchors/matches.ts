import { BoundedMap, codeOf } from '../../kernel/index.ts';
import type { IncomingCall, NodeId } from '../../kernel/index.ts';
import { AddressBudget } from './address-budget.ts';
import { budgetKey } from './address-rules.ts';
import type { AnchorsContext } from './context.ts';
import type { Referral } from './messages.ts';
import type { Surroundings } from './surroundings.ts';

/** Anchors whose word of a match counts, the latest. */
const WAITING_AT_MAX = 8;
/** Addresses dialled of one node that an anchor tells of. */
const ADDRESSES_MAX = 4;

/** The newcomer's side of matchmaking: dials whom an anchor tells of, within bounds (ANCH-23). */
export class Matches {
  readonly #anchors: AnchorsContext;
  readonly #surroundings: Surroundings;
  readonly #waitingAt = new BoundedMap<NodeId, true>(WAITING_AT_MAX);
  /** A lying anchor can have us dial one machine this often; loopback and private ones are counted by port. */
  readonly #budget = new AddressBudget({ perHost: 4, total: 120, windowMs: 600_000 });

  constructor(anchors: AnchorsContext, surroundings: Surroundings) {
    this.#anchors = anchors;
    this.#surroundings = surroundings;
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
    if (nodeId === ctx.self.nodeId || this.#surroundings.isConnected(nodeId)) return;
    const addresses = this.dialable(referral.addresses, this.#surroundings.seenAt(call.peer.nodeId));
    if (addresses.length === 0) {
      ctx.counters.add('match-addresses-refused');
      return;
    }
    const work = this.#surroundings.reachTold({ nodeId, addresses }, ctx.signal).then(
      () => ctx.counters.add('matches-met'),
      (error) => ctx.counters.add(`matches-missed.${codeOf(error)}`),
    );
    this.#anchors.ctx.background('match', work);
  }

  /** Those of told addresses that may be dialled, each counted against the budget of its machine. */
  dialable(told: readonly string[], toldFrom: string): readonly string[] {
    return this.affordable(told.filter((address) => this.#anchors.network.mayDial(address, toldFrom)));
  }

  /** The same of addresses that were checked when they were told. */
  affordable(told: readonly string[]): readonly string[] {
    const { ctx, network } = this.#anchors;
    return told.slice(0, ADDRESSES_MAX).filter((address) => {
      const allowed = this.#budget.spend(budgetKey(network, address), ctx.clock.now());
      if (!allowed) ctx.counters.add('told-dials-over-budget');
      return allowed;
    });
  }
}
