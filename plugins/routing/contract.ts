import type { DeviceId, NodeId, PeerId } from '../../kernel/index.ts';

/** How far away a node is known to be. `n1` is connected, `none` is beyond three hops. */
export type Layer = 'n1' | 'n2' | 'n3' | 'none';

/**
 * What is known of where a node is (KNOW-04). Any layer but `none` is `<N4` reachable. A contact
 * that is not connected is in the N1 we share, and yet no nearer than its reporters are.
 */
export interface Reach {
  /** The nearest layer the node occurs in. */
  readonly layer: Layer;
  /** Peers that have it in their N1: one hop behind them. */
  readonly n2Reporters: readonly NodeId[];
  /** Peers that have it in their N2: two hops behind them. */
  readonly n3Reporters: readonly NodeId[];
}

/** A node of N2 that is not in N1: what growth may connect to (CONN-02). */
export interface Candidate {
  readonly nodeId: NodeId;
  /** How many peers have it in their N1; fewer is better. */
  readonly reporterCount: number;
  readonly inN3: boolean;
}

/** Names nodes of our N1 share besides connections; asked at once, and read before it is asked again. */
export type N1Source = () => Iterable<NodeId>;

/** What a peer's claim about a node turned out to be worth. */
export type Verdict =
  /** The node was reached on the word of this peer. */
  | 'proved'
  /** The addresses this peer gave did not lead to the node: it may just have gone. */
  | 'not-reached'
  /** The peer does not know the node it reported, or somebody else answered at its addresses. */
  | 'refuted';

/** All calls are synchronous and cheap; ids are not retained. */
export interface RoutingView {
  reach(nodeId: NodeId): Reach;
  /** The nearest layer only: under two microseconds, for loops over many ids. */
  layerOf(nodeId: NodeId): Layer;
  /** At most `limit` of N2 without N1, ourselves and the excluded, best score first, ties in random order. */
  candidates(limit: number, isExcluded?: (nodeId: NodeId) => boolean): readonly Candidate[];
  /** A node of N2 that is not in N1 at random; `undefined` when there is none. */
  randomN2(): NodeId | undefined;
  /** How much of N2 this peer adds: each of its ids counts 1 shared by all who report it (CONN-07). */
  diversity(reporter: NodeId): number;
  /** Members of our own N1 share: connections and contributed nodes, sorted, each once. */
  n1(): readonly NodeId[];
  /** True for a node of the N1 that peers were told last: of those alone we tell addresses. */
  isShared(nodeId: NodeId): boolean;
  /** Tells peers of a changed N1 soon: at once after a quiet spell, else when the last notice is 10 s old. */
  n1Changed(): void;
  /** Raises or lowers how many unproven ids this peer may make us hold. */
  judge(reporter: NodeId, verdict: Verdict): void;
}

/** A connected peer as routing sees it. */
export interface RoutingPeer {
  readonly peer: PeerId;
  readonly features: readonly string[];
  /** True for mesh peers and keep-alive sessions: they are in N1 and get every diff (CYC-02). */
  readonly routes: boolean;
}

/** Who is a peer at this moment. */
export interface RoutingPeers {
  /** Connections whose handshake is finished, each device once. */
  peers(): Iterable<RoutingPeer>;
  /** One of them. */
  peer(nodeId: NodeId, deviceId: DeviceId): RoutingPeer | undefined;
  /** True for a node with such a connection; asked for every id of N2, so it must be quick. */
  isConnected(nodeId: NodeId): boolean;
}
