import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { ConnectionKind, NodeId, PeerId, PluginContext, Ref } from '../../kernel/index.ts';

import type { Candidate, Layer, N1Source, Reach, Verdict } from './knowledge/contract.ts';
import type { CascadeStep, StepName } from './resolve/contract.ts';

export type { Candidate, Layer, N1Source, Reach, Verdict } from './knowledge/contract.ts';
export type { CascadeStep, StepCall, StepName, StepOutcome, Whereabouts } from './resolve/contract.ts';
export { formatConnectString, parseConnectString } from './connect-string.ts';
export type { ConnectTarget } from './connect-string.ts';

/** A connection whose InitialExchange is finished. A frozen snapshot. */
export interface PeerInfo {
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly kind: ConnectionKind;
  readonly direction: 'inbound' | 'outbound';
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  readonly lastActivityMs: number;
  /** What the peer offers, sorted. */
  readonly features: readonly string[];
}

/**
 * A named part of the InitialExchange that belongs to another plugin. Mesh carries it, and understands
 * nothing of it: `receive` gets whatever the peer sent and checks it.
 */
export interface SectionContribution {
  /** What to tell this peer: JSON of at most SECTION_MAX_BYTES, or `undefined` for nothing. */
  collect(peer: PeerId): unknown;
  /** What the peer told us. Hostile until checked; a throw is counted and costs only this section. */
  receive(peer: PeerId, value: unknown): void | Promise<void>;
  /** What a person calls this node in lists, where the contributor knows. */
  label?(nodeId: NodeId): string | undefined;
}

export interface MeshService {
  peers(): readonly PeerInfo[];
  /** True while a connection of this identity has finished its exchange. */
  isPeer(nodeId: NodeId): boolean;
  /** What the peer's devices offer together; empty when it is no peer. */
  features(nodeId: NodeId): ReadonlySet<string>;
  /** Ask before sending what a peer may not know: an active plugin's feature, or a message's name. */
  supports(nodeId: NodeId, feature: string): boolean;
  /**
   * Dials a connect string, finishes the exchange and remembers the peer for redialling.
   * A peer that is connected already is returned as it is.
   *
   * @throws mesh/bad-connect-string, mesh/own-node, mesh/exchange-failed, transport/*, the signal's reason.
   */
  connect(target: string, options?: { signal?: AbortSignal }): Promise<PeerInfo>;
  /** Redials this node whenever it is not connected, until `forget`; survives restarts. */
  keepReachable(nodeId: NodeId, addresses: readonly string[]): void;
  /** Ends `keepReachable`. An open connection stays. */
  forget(nodeId: NodeId): void;
  /** Addresses the node was last reached at or told us, best first; `[]` when unknown. */
  addresses(nodeId: NodeId): readonly string[];
  /** When the node was last a peer, in ms since the epoch. */
  lastSeenMs(nodeId: NodeId): number | undefined;
  /** Where a node is known to be, and who reports it (KNOW-04). */
  reach(nodeId: NodeId): Reach;
  /** The nearest layer alone, for loops over many ids. */
  layerOf(nodeId: NodeId): Layer;
  /** The best of N2 that is not connected (CONN-02), at most `limit`. */
  candidates(limit: number): readonly Candidate[];
  /** A node of N2 at random that is not connected. */
  randomN2(): NodeId | undefined;
  /**
   * `connect_by_node_id` (KNOW-06): gives the node as a peer, by whatever step leads to it. Takes up to
   * 90 s; a search under way for the same node is joined.
   *
   * @throws resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, the signal's reason.
   */
  connectTo(
    nodeId: NodeId,
    options: { purpose: string; signal?: AbortSignal; steps?: readonly StepName[] },
  ): Promise<PeerInfo>;
  /** Adds a step to the cascade, for this generation of mesh; gives the undo. Offer again on `meshReady`. */
  offerStep(step: CascadeStep): () => void;
  /** Adds nodes to the N1 we share (KNOW-01), for this generation of mesh; gives the undo. */
  contributeN1(source: N1Source): () => void;
  /** What a source of N1 names has changed. */
  n1Changed(): void;
  /** Says what a peer's report of a node was worth; it decides how much of its word mesh takes. */
  judge(reporter: NodeId, verdict: Verdict): void;
  /** Adds a section; gives the undo. Plugins use {@link offerSection}, which also outlives swaps of mesh. */
  contribute(name: string, contribution: SectionContribution): () => void;
}

export const MESH = defineToken<MeshService>('mesh');

/** Mesh has a new generation, which knows no contributors yet. */
export const meshReady = defineTopic<Record<string, never>>('mesh/ready');
/** A connection finished its InitialExchange. Once a connection; a swap of mesh may repeat it. */
export const peerReady = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly features: readonly string[];
}>('mesh/peer-ready');
/** A peer told of other features than before. */
export const peerFeaturesChanged = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly features: readonly string[];
}>('mesh/peer-features-changed');
/** A connection that was a peer has ended. Another one to the same node may live. */
export const peerGone = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly reason: string;
}>('mesh/peer-gone');

/** A peer's lists were taken in: N2 or N3 may hold more than before (CONN-01). */
export const knowledgeChanged = defineTopic<{ readonly reporter: NodeId }>('mesh/knowledge-changed');

/** Largest JSON of one section in bytes; a longer one is left out and counted. */
export const SECTION_MAX_BYTES = 1024 * 1024;

/**
 * The feature a contributing plugin declares in its `features` for each of its sections. A peer sends
 * a section only to who offers it, and sends it late when the plugin is enabled later.
 */
export function sectionFeature<Name extends string>(name: Name): `section:${Name}` {
  return `section:${name}`;
}

/**
 * Contributes a section for the life of a generation, again after each swap of mesh. Call it in
 * `setup` and call what it returns in `activate`. `mesh` is read at the time of use because an
 * optional dependency comes and goes.
 */
export function offerSection(
  // biome-ignore lint/suspicious/noExplicitAny: any plugin's context will do
  ctx: Pick<PluginContext<any, any>, 'on' | 'defer'>,
  mesh: () => Ref<MeshService> | undefined,
  name: string,
  contribution: SectionContribution,
): () => Promise<void> {
  let undo: (() => void) | undefined;
  const offer = async (): Promise<void> => {
    const ref = mesh();
    // A mesh that is off announces itself with meshReady when it comes.
    if (ref?.available !== true) return;
    await ref.use((service) => {
      undo?.();
      undo = service.contribute(name, contribution);
    });
  };
  ctx.on(meshReady, offer);
  ctx.defer(() => undo?.());
  return offer;
}
