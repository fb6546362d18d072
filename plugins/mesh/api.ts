import { defineToken, defineTopic } from '../../kernel/index.ts';
import type { ConnectionKind, ContextBase, NodeId, PeerId, Ref } from '../../kernel/index.ts';
import { meshErrors } from './errors.ts';
import type { KnowledgeView } from './knowledge/contract.ts';
import type { CascadeStep, StepName } from './resolve/contract.ts';

export { formatConnectString, parseConnectString } from './connect-string.ts';
export type { ConnectTarget } from './connect-string.ts';
export type { Candidate, Layer, N1Source, Reach } from './knowledge/contract.ts';
export type { AddressHint, CascadeStep, StepCall, StepName, StepOutcome } from './resolve/contract.ts';

/** MESH-04: what kind of mesh slot a connection holds. */
export type SlotKind = 'preferred' | 'non-preferred' | 'none';

/** How the mesh slots are used at this moment (MESH-01, MESH-02). */
export interface SlotCounts {
  /** Connections that hold a slot; never above `limit`. */
  readonly held: number;
  /** Slots kept free for exchanges under way. */
  readonly reserved: number;
  readonly limit: number;
  readonly preferred: number;
  readonly preferredLimit: number;
}

/** Where somebody says that a node is. */
export interface Told {
  /** `host:port` texts, best first. The first 32 are looked at, and 8 of those that may be dialled are dialled. */
  readonly addresses: readonly string[];
  /** Whose word it is: only what `Network.mayDial` allows from where it is seen is dialled. */
  readonly by: NodeId;
  /** Where it was seen when it told; default is where it is connected now, or nowhere. */
  readonly seenAt?: string;
  /** Narrower limits than those of all told dials together. */
  readonly limits?: DialLimits;
}

/** How many dials of one group, within ten minutes, may lead nowhere. */
export interface DialLimits {
  /** Dials whose limits have this name are counted together. */
  readonly group: string;
  /** To one site: an IPv4 address, or a household's IPv6 /64. */
  readonly perSite: number;
  readonly total: number;
}

/** A node to be reached. With neither `at` nor `told` it is looked for. */
export interface ConnectRequest {
  readonly nodeId: NodeId;
  /** Where this node itself knows it to be: its user, its configuration or its own records say so. */
  readonly at?: readonly string[];
  /** Where somebody else says it is. */
  readonly told?: Told;
  /**
   * Why the node is wanted, for `peer explain`. One of {@link SLOT_PURPOSES} asks for a mesh slot; any
   * other makes a session (MESH-07).
   */
  readonly purpose: string;
  /** Ends this caller's waiting, and the dial when nobody else waits for it. Abort with {@link callOff} what has become needless. */
  readonly signal?: AbortSignal;
  /**
   * Looks for the node (KNOW-06) when no address may be dialled; a list names the steps that may be taken.
   * By default only a request that names no addresses does.
   */
  readonly search?: boolean | readonly StepName[];
}

/** A node that somebody says is worth a slot, and where it may be. */
export interface Lead {
  readonly nodeId: NodeId;
  /** On the word of `from`. */
  readonly addresses: readonly string[];
  readonly from: NodeId;
}

/** Purposes of {@link MeshService.connect} that ask for a mesh slot. */
export const SLOT_PURPOSES: ReadonlySet<string> = new Set([
  'user',
  'redial',
  'growth',
  'bootstrap',
  'recovery',
  'isolation',
  'referral',
  'match',
  'meet-anchor',
  'preferred',
  'return',
]);

/** The reason to abort a request with that has become needless: what was charged for it is given back. */
export function callOff(): Error {
  return meshErrors.make('called-off');
}

/** A connection whose InitialExchange is finished. A frozen snapshot. */
export interface PeerInfo {
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly kind: ConnectionKind;
  readonly slot: SlotKind;
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

export interface MeshService
  extends Pick<KnowledgeView, 'reach' | 'layerOf' | 'randomN2' | 'n1' | 'contributeN1' | 'n1Changed'> {
  peers(): readonly PeerInfo[];
  /** True while a connection of this identity has finished its exchange. */
  isPeer(nodeId: NodeId): boolean;
  /** What the peer's devices offer together; empty when it is no peer. */
  features(nodeId: NodeId): ReadonlySet<string>;
  /** Ask before sending what a peer may not know: an active plugin's feature, or a message's name. */
  supports(nodeId: NodeId, feature: string): boolean;
  /**
   * Reaches a node and resolves when it is a peer; one that is a peer already is returned as it is. Whatever is
   * dialled on the word of others is taken from one budget, so that no number of tellers can have us hammer a
   * stranger; what led to its node, or was called off, costs nothing.
   *
   * @throws mesh/own-node, mesh/not-dialable, mesh/over-budget, mesh/busy, mesh/exchange-failed, transport/*,
   *   resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, clock/deadline, the signal's reason.
   */
  connect(request: ConnectRequest): Promise<PeerInfo>;
  /** Counts a dial that somebody else is to make because we ask for it; false when these limits are used up. */
  mayHaveDialled(address: string, limits: DialLimits): boolean;
  /**
   * Dials a connect string of the user's and remembers the peer for redialling.
   *
   * @throws mesh/bad-connect-string, and what {@link connect} throws.
   */
  connectAndRemember(target: string, options?: { signal?: AbortSignal }): Promise<PeerInfo>;
  /** Redials this node whenever it is not connected, until `forget`; survives restarts. */
  keepReachable(nodeId: NodeId, addresses: readonly string[]): void;
  /** Ends `keepReachable`. An open connection stays. */
  forget(nodeId: NodeId): void;
  /** Addresses the node was last reached at or told us, best first; `[]` when unknown. */
  addresses(nodeId: NodeId): readonly string[];
  /** When the node was last a peer, in ms since the epoch. */
  lastSeenMs(nodeId: NodeId): number | undefined;
  /** Nodes that hold a mesh slot, each once: whom to send what goes to the mesh. */
  meshPeers(): readonly NodeId[];
  slots(): SlotCounts;
  /** NPT-01: this node and its preferred peers, at most 11 ids. */
  nplus10(): readonly NodeId[];
  /**
   * What a connected peer said of itself last; `[]` when it is no peer. Preferred peers tell of each
   * change, others at their exchange.
   */
  nplus10Of(nodeId: NodeId): readonly NodeId[];
  /**
   * Where the reporters of a node in N2 or N3 say that it is, at most 8 addresses, without dialling any:
   * none that must not be dialled on their word. `[]` when none tells, or too many are being located.
   *
   * @throws the signal's reason
   */
  locate(nodeId: NodeId, options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  /** Adds a way to find nodes, in the place its name has in the cascade; gives the undo. Ends with a swap of mesh. */
  offerStep(step: CascadeStep): () => void;
  /** Hands growth a node to try before its own candidates. False when it is not wanted or there are too many. */
  offerCandidate(lead: Lead): boolean;
  /** Has growth look for peers at once, whatever failed before (CONN-16). */
  requestGrowth(): void;
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

/** The last connection that held a mesh slot is gone: recovery may begin (CONN-14). */
export const meshEmptied = defineTopic<Record<string, never>>('mesh/emptied');
/** A connection got a mesh slot, another kind of one, or lost it. */
export const slotChanged = defineTopic<{
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly slot: SlotKind;
  /** `granted`, `agreed`, `cancelled`, `ended`, `preferred-return`, `limit-lowered`, `handed-over`. */
  readonly reason: string;
}>('mesh/slot-changed');
/** What became of one attempt of growth. */
export interface GrowthTried {
  readonly nodeId: NodeId;
  readonly why: 'candidate' | 'offered' | 'redirect';
  /** `refused`: it is there and has no slot for us. */
  readonly outcome: 'joined' | 'refused' | 'unreachable';
  /** Code of the error that made it unreachable; empty otherwise. */
  readonly reason: string;
  readonly tookMs: number;
}
export const growthTried = defineTopic<GrowthTried>('mesh/growth-tried');
/** Who this node prefers has changed: itself and its preferred peers (NPT-01). */
export const nplus10Changed = defineTopic<{ readonly nplus10: readonly NodeId[] }>('mesh/nplus10-changed');
/** A rebalance ran (CYC-03); `steps` in their order, in words. */
export const rebalanced = defineTopic<{ readonly cause: 'timer' | 'command'; readonly steps: readonly string[] }>(
  'mesh/rebalanced',
);
/** Lists of a peer were taken in. */
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
  ctx: Pick<ContextBase, 'on' | 'defer'>,
  mesh: () => Ref<MeshService>,
  name: string,
  contribution: SectionContribution,
): () => Promise<void> {
  let undo: (() => void) | undefined;
  const offer = async (): Promise<void> => {
    const ref = mesh();
    // A mesh that is off announces itself with meshReady when it comes.
    if (!ref.available) return;
    await ref.use((service) => {
      undo?.();
      undo = service.contribute(name, contribution);
    });
  };
  ctx.on(meshReady, offer);
  ctx.defer(() => undo?.());
  return offer;
}
