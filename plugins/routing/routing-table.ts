import { NodeIdSchema, Type, validatorOf } from '../../kernel/index.ts';
import type { IncomingCall, Loop, NodeId, PeerId, Static } from '../../kernel/index.ts';
import type { HandshakeExtension } from '../peers/api.ts';
import { listsTaken, N1_SHARE } from './api.ts';
import type { RoutingContext } from './context.ts';
import { Broadcast, Told } from './broadcast.ts';
import type { Candidate, RoutingPeers, RoutingPeer, RoutingView, Layer, Reach, Verdict } from './contract.ts';
import { decodeIds, encodeIds, ID_WORDS, idOf, packWords, SHORT_WORDS } from './id-list.ts';
import { ListIntake } from './intake.ts';
import { NodeLists } from './messages.ts';
import { OwnShare } from './own-share.ts';
import { ReachIndex } from './reach-index.ts';

/** Name of the part of the handshake that carries the lists. */
export const ROUTES_EXTENSION = 'routes';
/**
 * What is longer does not go into the handshake, where it would have to be plain, but follows packed as
 * soon as the features of the peer are known.
 */
const HANDSHAKE_IDS_MAX = 256;

/** Peers with a lowered quota in `plugin inspect`, the least trusted first. */
const DOUBTED_SHOWN = 64;

/** What a swap hands over. */
export const RoutingState = Type.Object({
  revision: Type.Integer(),
  n1: Type.String(),
  n2: Type.String(),
  reporters: Type.Array(
    Type.Object({
      nodeId: NodeIdSchema,
      deviceId: Type.String(),
      revision: Type.Integer(),
      listedAtMs: Type.Integer(),
      n2: Type.String(),
      n3: Type.String(),
    }),
  ),
  told: Type.Record(Type.String(), Told),
  standings: Type.Array(Type.Object({ nodeId: NodeIdSchema, value: Type.Number(), atMs: Type.Number() })),
});
export type RoutingState = Static<typeof RoutingState>;

/**
 * What this node knows of the neighbourhood: N1 from the connections, N2 and N3 from what peers share,
 * and what it shares itself.
 */
export class RoutingTable implements RoutingView {
  readonly #routing: RoutingContext;
  readonly #peers: RoutingPeers;
  readonly #index: ReachIndex;
  readonly #share: OwnShare;
  readonly #intake: ListIntake;
  readonly #broadcast: Broadcast;

  constructor(routing: RoutingContext, peers: RoutingPeers) {
    const { clock, random, counters, self } = routing.ctx;
    this.#routing = routing;
    this.#peers = peers;
    this.#index = new ReachIndex({ self: self.nodeId, clock, random, counters });
    this.#share = new OwnShare(clock);
    this.#intake = new ListIntake(this.#index, clock, counters);
    this.#broadcast = new Broadcast({ routing, peers, share: this.#share, publish: () => this.#publish() });
  }

  /** A connection finished its handshake. */
  joined(peer: PeerId): void {
    const known = this.#peer(peer);
    if (known !== undefined) this.#broadcast.one(known, false);
    this.n1Changed();
  }

  /** The last connection of this device has ended, whether or not it had become a peer (CONN-06). */
  left(peer: PeerId): void {
    this.#index.drop(peer);
    this.#broadcast.forget(peer);
    this.n1Changed();
  }

  /** Whose lists we hold. */
  reporters(): readonly PeerId[] {
    return [...this.#index.reporters.all()].map(({ peer }) => peer);
  }

  n1Changed(): void {
    this.#broadcast.changed();
  }

  /** Handler of NodeListUpdate. */
  receive(lists: NodeLists, call: Pick<IncomingCall, 'peer'>): void {
    const known = this.#peer(call.peer);
    if (known === undefined) {
      this.#routing.ctx.counters.add('lists-before-exchange');
      return;
    }
    if (lists.resync === true) this.#broadcast.one(known, true);
    this.#take(call.peer, lists);
  }

  /** The part of the handshake that carries the lists. */
  readonly extension: HandshakeExtension = {
    collect: (peer) => {
      this.#publishFirst();
      const { n1, n2 } = this.#share;
      if (n1.size + n2.size > HANDSHAKE_IDS_MAX) return undefined;
      this.#broadcast.toldAll(peer);
      return this.#share.whole(false);
    },
    receive: (peer, value) => {
      if (validatorOf(NodeLists).check(value)) this.#take(peer, value);
      else this.#routing.ctx.counters.add('lists-malformed');
    },
  };

  readonly loops: Readonly<Record<'routing-diff' | 'list-ages', Loop>> = {
    'routing-diff': { everyMs: 5_000, run: () => this.#broadcast.tick() },
    'list-ages': {
      everyMs: 60_000,
      run: () => {
        for (const peer of this.#intake.age()) {
          const known = this.#peer(peer);
          if (known === undefined) this.#index.drop(peer);
          else this.#broadcast.ask(known);
        }
      },
    },
  };

  reach(nodeId: NodeId): Reach {
    const { n2, n3 } = this.#index.reportersOf(nodeId);
    return { layer: this.layerOf(nodeId), n2Reporters: n2, n3Reporters: n3 };
  }

  layerOf(nodeId: NodeId): Layer {
    return this.#isConnected(nodeId) ? 'n1' : this.#index.layerOf(nodeId);
  }

  candidates(limit: number, isExcluded: (nodeId: NodeId) => boolean = () => false): readonly Candidate[] {
    return this.#index.candidates(limit, (nodeId) => this.#isConnected(nodeId) || isExcluded(nodeId));
  }

  randomN2(): NodeId | undefined {
    return this.#index.randomN2((nodeId) => this.#isConnected(nodeId));
  }

  diversity(reporter: NodeId): number {
    return this.#index.diversity(reporter);
  }

  n1(): readonly NodeId[] {
    return [...new Set(this.#n1())].sort();
  }

  isShared(nodeId: NodeId): boolean {
    return this.#share.n1.has(nodeId);
  }

  judge(reporter: NodeId, verdict: Verdict): void {
    this.#routing.ctx.counters.add(`reporters-judged.${verdict}`);
    this.#index.judge(reporter, verdict);
  }

  /** How many nodes are known in each layer. */
  sizes(): { readonly n1: number; readonly n2: number; readonly n3: number } {
    return { n1: this.n1().length, n2: this.#index.n2Size, n3: this.#index.n3Size };
  }

  /** For `plugin inspect`. */
  diagnostics(): Record<string, unknown> {
    const { bytes } = this.#index;
    const doubted = this.#index.reporters.doubted(this.#routing.ctx.clock.now());
    return {
      ...this.sizes(),
      reporters: this.#index.reporters.size,
      index_bytes: bytes,
      doubted: Object.fromEntries(doubted.slice(0, DOUBTED_SHOWN)),
    };
  }

  snapshot(): RoutingState {
    return {
      revision: this.#share.revision,
      n1: encodeIds(this.#share.n1, ID_WORDS, true) as string,
      n2: encodeIds(this.#share.n2, ID_WORDS, true) as string,
      reporters: [...this.#index.reporters.all()].map((reporter) => {
        const { n2, n3 } = this.#index.listsOf(reporter);
        const { peer, revision, listedAtMs } = reporter;
        return { ...peer, revision, listedAtMs, n2: packWords(n2), n3: packWords(n3) };
      }),
      told: this.#broadcast.snapshot(),
      standings: this.#index.reporters.standings(),
    };
  }

  restore(state: RoutingState): void {
    const ids = (text: string): NodeId[] => {
      const words = decodeIds(text, ID_WORDS) ?? new Uint32Array(0);
      return Array.from({ length: words.length / ID_WORDS }, (_, i) => idOf(words.subarray(i * ID_WORDS)));
    };
    this.#share.restore(state.revision, ids(state.n1), ids(state.n2));
    this.#broadcast.restore(state.told);
    this.#index.reporters.restoreStandings(state.standings);
    for (const { nodeId, deviceId, revision, listedAtMs, n2, n3 } of state.reporters) {
      const [near, far] = [decodeIds(n2, ID_WORDS), decodeIds(n3, SHORT_WORDS)];
      const peer = { nodeId, deviceId } as PeerId;
      if (near === undefined || far === undefined) continue;
      this.#index.replace(peer, { n2: near, n3: far }, revision);
      const reporter = this.#index.reporters.get(peer);
      if (reporter !== undefined) reporter.listedAtMs = listedAtMs;
    }
  }

  #take(peer: PeerId, lists: NodeLists): void {
    const intake = this.#intake.take(peer, lists);
    const known = this.#peer(peer);
    if (intake === 'ask' && known !== undefined) this.#broadcast.ask(known);
    if (intake === 'taken') this.#routing.ctx.emit(listsTaken, { reporter: peer.nodeId, isNews: isNews(lists) });
  }

  #publish() {
    return this.#share.publish(this.#n1(), this.#index.n2());
  }

  /** Before the first notice to all there is nothing to tell a new peer but what is true now. */
  #publishFirst(): void {
    if (this.#share.revision === 0) this.#publish();
  }

  /** Connections first: when contacts are too many, a peer's neighbours matter more. */
  *#n1(): Iterable<NodeId> {
    for (const { peer, routes } of this.#peers.peers()) if (routes) yield peer.nodeId;
    const { ctx } = this.#routing;
    for (const source of ctx.contributions(N1_SHARE)) {
      for (const nodeId of source.ask((named) => named(), [])) if (nodeId !== ctx.self.nodeId) yield nodeId;
    }
  }

  #isConnected(nodeId: NodeId): boolean {
    return this.#peers.isConnected(nodeId);
  }

  #peer({ nodeId, deviceId }: PeerId): RoutingPeer | undefined {
    return this.#peers.peer(nodeId, deviceId);
  }
}

/** Most diffs say that nothing has changed since the last one. */
function isNews({ base, n1_added, n1_removed, n2_added, n2_removed }: NodeLists): boolean {
  return base === undefined || [n1_added, n1_removed, n2_added, n2_removed].some((ids) => ids !== undefined);
}
