import type { Network, NodeId } from '../../kernel/index.ts';
import type { WormKind } from './api.ts';
import type { Finding, Referral, WormQuery } from './finding.ts';
import type { Holdings } from './holdings.ts';
import type { Neighbours } from './neighbours.ts';
import { FINDINGS_MAX } from './search-world.ts';

const ADDRESSES_MAX = 4;

/**
 * The local check (WORM-02): what this node knows by itself, from connections, N2 and N3, what it
 * stores, and who it knows to store more. No packet is sent.
 */
export class LocalIndex {
  readonly #network: Network;
  readonly #holdings: Holdings;

  constructor(network: Network, holdings: Holdings) {
    this.#network = network;
    this.#holdings = holdings;
  }

  /** `connectedOnly`: N2 and N3 were tried and led nowhere. */
  look(neighbours: Neighbours, query: WormQuery, connectedOnly = false): readonly Finding[] {
    const findings: Finding[] = [];
    for (const needle of query.needles) {
      const via = this.#whoKnowsWay(neighbours, needle, connectedOnly);
      if (via !== undefined) findings.push(this.#finding(neighbours, 'node', needle, via));
      if (findings.length === FINDINGS_MAX) return findings;
    }
    for (const [kind, id] of [
      ['post', query.post_id],
      ['blob', query.blob_id],
    ] as const) {
      if (id === undefined) continue;
      const holders = this.#holdings.holds(kind, id) ? [this.#network.self.nodeId] : this.#holdings.holders(kind, id);
      for (const holder of holders) findings.push(this.#finding(neighbours, kind, holder, []));
    }
    return findings.slice(0, FINDINGS_MAX);
  }

  /** A random node of our N2, other than the one that asks. */
  refer(neighbours: Neighbours, asker: NodeId): Referral | undefined {
    const id = neighbours.randomN2();
    if (id === undefined || id === asker || id === this.#network.self.nodeId) return undefined;
    return { id, addresses: this.#addresses(neighbours, id), toldBy: this.#network.self.nodeId };
  }

  /** Who knows the way to a needle, or `undefined` when nobody does. */
  #whoKnowsWay(neighbours: Neighbours, needle: NodeId, connectedOnly: boolean): readonly NodeId[] | undefined {
    if (needle === this.#network.self.nodeId || this.#network.connectionsOf(needle).length > 0) return [];
    return connectedOnly ? undefined : neighbours.reporters(needle);
  }

  #finding(neighbours: Neighbours, kind: WormKind, holder: NodeId, reporters: readonly NodeId[]): Finding {
    const self = this.#network.self.nodeId;
    const via = holder === self ? [] : [...reporters.slice(0, 1), self];
    return { kind, holder, addresses: this.#addresses(neighbours, holder), via, toldBy: self };
  }

  /** Where it was seen by us goes before what it told of itself. */
  #addresses(neighbours: Neighbours, nodeId: NodeId): readonly string[] {
    if (nodeId === this.#network.self.nodeId) return this.#network.localAddresses().slice(0, ADDRESSES_MAX);
    const seen = this.#network.connectionsOf(nodeId).map(({ remoteAddr }) => remoteAddr);
    return [...new Set([...seen, ...neighbours.addresses(nodeId)])].slice(0, ADDRESSES_MAX);
  }
}
