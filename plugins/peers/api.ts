import { anyAnswer, answerOf, definePoint, defineToken, hasMethods, listOf, noAnswer } from '../../kernel/index.ts';
import type {
  AnyMessage,
  BodyOf,
  ConnectionKind,
  NodeId,
  PeerId,
  ResponseOf,
  SendOptions,
} from '../../kernel/index.ts';
import { PeerFacts, SearchRecord, SlotFields } from './answers.ts';
import { peersErrors } from './errors.ts';

export { ReachBadge } from './answers.ts';
export { ConnectedPeers, type ConnectedPeer } from './connected-peers.ts';
export { peerFeaturesChanged, peerGone, peerReady } from './topics.ts';
export type { PeerFacts, SearchRecord, SlotFields } from './answers.ts';
export { formatConnectString, parseConnectString } from './connect-string.ts';
export type { ConnectTarget } from './connect-string.ts';

/** A connection whose handshake is finished. A frozen snapshot. */
export interface PeerInfo {
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly kind: ConnectionKind;
  readonly direction: 'inbound' | 'outbound';
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  /** When its handshake was finished. */
  readonly readyAtMs: number;
  readonly lastActivityMs: number;
  /** What the peer offers, sorted. */
  readonly features: readonly string[];
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
  readonly search?: boolean | readonly string[];
}

/** Purposes of {@link PeersService.connect} that ask for a mesh slot. */
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

/** Code of {@link PeersService.connect}: nothing was dialled, for the budget is spent. It says nothing of who told the addresses. */
export const OVER_BUDGET = peersErrors.code('over-budget');
/** Codes of {@link PeersService.connect} when no address was dialled. */
export const UNDIALLED: ReadonlySet<string> = new Set([peersErrors.code('not-dialable'), OVER_BUDGET]);

/** The reason to abort a request with that has become needless: what was charged for it is given back. */
export function callOff(): Error {
  return peersErrors.make('called-off');
}

export interface PeersService {
  peers(): readonly PeerInfo[];
  /** The peer at the other end of a connection; `undefined` before its handshake is finished. */
  peer(connectionId: number): PeerInfo | undefined;
  /** True while a connection of this identity has finished its handshake. */
  isPeer(nodeId: NodeId): boolean;
  /** What the peer's devices offer together; empty when it is no peer. */
  features(nodeId: NodeId): ReadonlySet<string>;
  /** Ask before sending what a peer may not know: an active plugin's feature, or a message's name. */
  supports(nodeId: NodeId, feature: string): boolean;
  /**
   * Reaches a node and resolves when it is a peer; one that is a peer already is returned as it is. Whatever is
   * dialled on the word of others is taken from one budget, so that no number of tellers can have us hammer a
   * stranger; what led to its node, or was called off, costs nothing. It may take a minute: call it with `restart`.
   *
   * @throws mesh/own-node, mesh/not-dialable, mesh/over-budget, mesh/busy, mesh/exchange-failed, transport/*,
   *   resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, clock/deadline, the signal's reason.
   */
  connect(request: ConnectRequest): Promise<PeerInfo>;
  /**
   * Reaches a node where it was before, and looks for it nowhere else. `except` was tried in vain.
   *
   * @throws what {@link connect} throws, but for resolve/*
   */
  connectKnown(
    nodeId: NodeId,
    options: Pick<ConnectRequest, 'purpose' | 'signal'> & { readonly except?: ReadonlySet<string> },
  ): Promise<PeerInfo>;
  /**
   * Dials a connect string of the user's, or finds the node of an id, and remembers the peer for redialling.
   *
   * @throws mesh/bad-connect-string, and what {@link connect} throws.
   */
  connectAndRemember(target: string, options?: { signal?: AbortSignal }): Promise<PeerInfo>;
  /** Connects to a node that is no peer, as {@link connect} does, and sends. @throws what it and `ctx.send` throw */
  send<M extends AnyMessage>(
    nodeId: NodeId,
    message: M,
    body: BodyOf<M>,
    options: SendOptions & Pick<ConnectRequest, 'purpose'>,
  ): Promise<ResponseOf<M>>;
  /** Counts a dial that somebody else is to make because we ask for it; false when these limits are used up. */
  mayHaveDialled(address: string, limits: DialLimits): boolean;
  /** Redials this node whenever it is not connected, until `forget`; survives restarts. */
  keepReachable(nodeId: NodeId, addresses: readonly string[]): void;
  /** Ends `keepReachable`. An open connection stays. */
  forget(nodeId: NodeId): void;
  /** Addresses the node was last reached at or told us, best first; `[]` when unknown. */
  addresses(nodeId: NodeId): readonly string[];
  /** When the node was last a peer, in ms since the epoch. */
  lastSeenMs(nodeId: NodeId): number | undefined;
  /** True for a node that the user or a plugin has us redial. */
  isRemembered(nodeId: NodeId): boolean;
  /** Why the node is to be left alone: our user disconnected it, or its user disconnected us within a quarter of an hour. */
  refusal(nodeId: NodeId): 'held-off' | 'declined' | undefined;
  /** What the node is being connected to for at this moment, by whomever. */
  purposes(nodeId: NodeId): readonly string[];
  /** Holds a purpose while `work` goes on: its connections are not left meanwhile. */
  during<R>(nodeId: NodeId, purpose: string, work: () => Promise<R>): Promise<R>;
  /** Closes the sessions we dialled to a node, if nobody remembers it or connects to it. */
  leave(nodeId: NodeId): void;
  /** Repeats the handshake on a connection, to ask for the slot that it has not. @throws the signal's reason */
  askAgain(connectionId: number, purpose: string, signal: AbortSignal): Promise<void>;
  /** Takes note of who holds a mesh slot: after a restart those come before all others. */
  slotChanged(nodeId: NodeId, holdsSlot: boolean): void;
  /** Dials once each who was here when this node stopped, those with a slot first; for once after a start. */
  returnLeft(limit: number): void;
  /** From this age without a frame on a connection counts as dead, in ms. */
  readonly zombieMs: number;
}

export const PEERS = defineToken<PeersService>('peers');

/**
 * A named part of the handshake that belongs to another plugin. Peers carries it, and understands nothing of
 * it. The contribution's name is the part's, and its plugin declares {@link extensionFeature} of that name in
 * its `features`: a peer sends the part only to who offers it, and sends it late when the plugin comes later.
 */
export interface HandshakeExtension {
  /** What to tell this peer: JSON of at most SECTION_MAX_BYTES, or `undefined` for nothing. Called at once. */
  collect(peer: PeerId): unknown;
  /** What the peer told us. Hostile until checked; a throw, or 5 s without an end, costs only this part. */
  receive(peer: PeerId, value: unknown): void | Promise<void>;
}

export const HANDSHAKE = definePoint<HandshakeExtension>('peers/handshake', {
  limit: 16,
  check: hasMethods('collect', 'receive'),
  // What is collected is measured as the JSON that it becomes.
  answers: { collect: anyAnswer, receive: noAnswer },
});

/** Largest JSON of one part in bytes; a longer one is left out and counted. */
export const SECTION_MAX_BYTES = 1024 * 1024;

/** The feature that offers a peer to take a part of the handshake. */
export function extensionFeature<Name extends string>(name: Name): `section:${Name}` {
  return `section:${name}`;
}

/** A connection in its handshake. */
export interface HandshakeParty {
  readonly peer: PeerId;
  readonly connectionId: number;
  /** What the peer offers, as far as it is known. */
  readonly features: readonly string[];
}

/** Decides in a handshake who gets a mesh slot. Without it nobody does. All but `makeRoom` answer at once. */
export interface SlotPolicy {
  /** What every peer is told: this node and its preferred peers. */
  nplus10(): readonly NodeId[];
  /** Our handshake begins. `purposes` are those for which the node is being connected to. */
  ask(party: HandshakeParty, purposes: readonly string[]): SlotFields;
  /** The peer has answered our handshake. */
  answered(party: HandshakeParty, theirs: SlotFields): void;
  /** The peer's handshake asks for room that two full nodes would have to make. */
  makeRoom(party: HandshakeParty): Promise<void>;
  /** The peer's handshake is complete: what it gets, and what it hears of us. */
  asked(party: HandshakeParty, theirs: SlotFields): SlotFields;
  /** A handshake is over, whatever came of it. */
  over(connectionId: number): void;
}

export const SLOT_POLICY = definePoint<SlotPolicy>('peers/slot-policy', {
  limit: 1,
  check: hasMethods('nplus10', 'ask', 'answered', 'makeRoom', 'asked', 'over'),
  answers: {
    nplus10: answerOf(SlotFields.properties.nplus10),
    ask: answerOf(SlotFields),
    answered: noAnswer,
    makeRoom: noAnswer,
    asked: answerOf(SlotFields),
    over: noAnswer,
  },
});

/** Finds a node that is known by its id alone, and connects to it by {@link PeersService.connect} with an address. */
export interface PeerFinder {
  /**
   * Resolves when the node is a peer.
   *
   * @throws resolve/unreachable, resolve/busy, resolve/held-off, resolve/declined, the signal's reason
   */
  find(
    nodeId: NodeId,
    options: { readonly purpose: string; readonly signal: AbortSignal; readonly steps?: readonly string[] },
  ): Promise<void>;
}

/** Without a finder a node is looked for where it was before. */
export const PEER_FINDER = definePoint<PeerFinder>('peers/finder', {
  limit: 1,
  check: hasMethods('find'),
  answers: { find: noAnswer },
});

export interface PeerFactSource {
  /** For every peer of a list: quick, and at once. */
  facts(nodeId: NodeId): PeerFacts;
  /** For `peer explain`: the latest searches for this node, the latest last. */
  searches?(nodeId: NodeId): readonly SearchRecord[];
}

/** Searches of one contribution that `peer explain` shows. */
const SEARCHES_MAX = 100;

export const PEER_FACTS = definePoint<PeerFactSource>('peers/facts', {
  limit: 16,
  check: hasMethods('facts'),
  answers: { facts: answerOf(PeerFacts), searches: listOf(SearchRecord, SEARCHES_MAX) },
});
