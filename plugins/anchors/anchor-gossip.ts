import { BoundedMap, codeOf, peerKey, validatorOf } from '../../kernel/index.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';
import { ownAddresses } from './address-rules.ts';
import type { AnchorsContext } from './context.ts';
import { anchorsErrors } from './errors.ts';
import type { KnownAnchors } from './known-anchors.ts';
import { AnchorTalk, anchorTalk } from './messages.ts';
import type { Place, PeerDirectory } from './peer-directory.ts';

/** Anchors others told of and nobody proved; beyond it the oldest word is forgotten. */
const HINTS_MAX = 64;
/** Anchors a peer is told of: those connected to within a day. */
const TOLD_MAX = 8;
const TOLD_WITHIN_MS = 24 * 3_600_000;

/** An anchor meets those it hears of; nobody can have it dial more than this. */
const MEET_LIMITS = { group: 'meet-anchor', perSite: 2, total: 20 };

interface TalkDeps {
  readonly directory: PeerDirectory;
  readonly known: KnownAnchors;
  isDeclared(): boolean;
  /** Where this node can be dialled for good. */
  ownAddresses(): readonly string[];
}

/** What nodes tell each other of anchors: who is one, and which others they know (ANCH-16, CONN-22). */
export class AnchorGossip {
  readonly #anchors: AnchorsContext;
  readonly #deps: TalkDeps;
  /** Peers that say they are anchors. */
  readonly #declared = new Set<NodeId>();
  readonly #hints = new BoundedMap<NodeId, Place>(HINTS_MAX);

  constructor(anchors: AnchorsContext, deps: TalkDeps) {
    this.#anchors = anchors;
    this.#deps = deps;
  }

  isAnchor(nodeId: NodeId): boolean {
    return this.#declared.has(nodeId);
  }

  declared(): readonly NodeId[] {
    return [...this.#declared];
  }

  restore(declared: readonly NodeId[]): void {
    for (const nodeId of declared) this.#declared.add(nodeId);
  }

  /** The latest first. */
  hints(): readonly Place[] {
    return [...this.#hints.values()].reverse();
  }

  /** What `peer` is told. */
  own(peer: NodeId): AnchorTalk {
    const { ctx, network } = this.#anchors;
    const since = ctx.clock.now() - TOLD_WITHIN_MS;
    const toldTo = this.#deps.directory.seenAt(peer);
    // Addresses of a LAN stay in it (H5).
    const tellable = (addresses: readonly string[]): string[] =>
      addresses.filter((address) => network.mayDial(address, toldTo)).slice(0, 8);
    return {
      is_anchor: this.#deps.isDeclared(),
      addresses: this.#deps.isDeclared() ? tellable(this.#deps.ownAddresses()) : [],
      anchors: this.#deps.known
        .all()
        .filter(({ nodeId, lastSeenMs }) => nodeId !== peer && lastSeenMs >= since)
        .map(({ nodeId, addresses }) => ({ node_id: nodeId, addresses: tellable(addresses) }))
        .filter(({ addresses }) => addresses.length > 0)
        .slice(0, TOLD_MAX),
    };
  }

  /** @throws anchors/bad-talk */
  receive(peer: PeerId, value: unknown): void {
    if (!validatorOf(AnchorTalk).check(value)) throw anchorsErrors.make('bad-talk', { reason: 'it is malformed' });
    const { nodeId } = peer;
    if (value.is_anchor) this.#isOne(nodeId, value.addresses);
    else this.#declared.delete(nodeId);
    const toldFrom = this.#deps.directory.seenAt(nodeId);
    for (const { node_id, addresses } of value.anchors) {
      this.#heardOf(node_id, addresses, { by: nodeId, seenAt: toldFrom });
    }
  }

  /** Tells all peers, or those that are anchors, what has changed. */
  async tell(whom: 'everybody' | 'anchors'): Promise<void> {
    const { ctx } = this.#anchors;
    for (const peer of await this.#deps.directory.takers(anchorTalk)) {
      if (whom === 'anchors' && !this.isAnchor(peer.nodeId)) continue;
      await ctx.send(peer, anchorTalk, this.own(peer.nodeId), { signal: ctx.signal }).catch((error) => {
        ctx.signal.throwIfAborted();
        ctx.counters.add(`talk-failed.${codeOf(error)}`);
        ctx.log.debug('talk-failed', { peer: peerKey(peer), code: codeOf(error) });
      });
    }
  }

  gone(nodeId: NodeId): void {
    if (!this.#declared.delete(nodeId)) return;
    this.#deps.known.touch(nodeId, this.#anchors.ctx.clock.now());
  }

  /**
   * The bind address it tells comes before the one it is seen at, which is a passing port where the
   * anchor dialled us. Both are on the machine it is seen at: nobody makes an anchor of a stranger.
   */
  #isOne(nodeId: NodeId, claimed: readonly string[]): void {
    const { ctx, network } = this.#anchors;
    const connection = network.connectionsOf(nodeId).at(-1);
    if (connection === undefined) return;
    const { remoteAddr, direction } = connection;
    const own = ownAddresses(network, claimed, remoteAddr);
    const told = own.filter((address) => claimed.includes(address));
    this.#declared.add(nodeId);
    const isNew = this.#deps.known.get(nodeId) === undefined;
    this.#deps.known.seen(nodeId, direction === 'outbound' || told.length === 0 ? own : told, ctx.clock.now());
    if (isNew && this.#deps.isDeclared()) this.#anchors.ctx.background('tell-anchors', this.tell('anchors'));
  }

  #heardOf(nodeId: NodeId, claimed: readonly string[], told: { readonly by: NodeId; readonly seenAt: string }): void {
    const { ctx, network } = this.#anchors;
    const { known, directory } = this.#deps;
    if (nodeId === ctx.self.nodeId || directory.isConnected(nodeId) || known.get(nodeId) !== undefined) return;
    const addresses = claimed.filter((address) => network.mayDial(address, told.seenAt)).slice(0, 4);
    if (addresses.length === 0) return;
    const place = { nodeId, addresses, told };
    this.#hints.set(nodeId, place);
    if (!this.#deps.isDeclared()) return;
    this.#anchors.ctx.background('meet-anchor', this.#meet({ ...place, told: { ...told, limits: MEET_LIMITS } }));
  }

  /** An anchor dials another it heard of once; both then know each other by the handshake. */
  async #meet(place: Place): Promise<void> {
    const { ctx } = this.#anchors;
    try {
      await this.#deps.directory.reach(place, 'meet-anchor', ctx.signal);
      ctx.counters.add('anchors-met');
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.counters.add(`anchors-not-met.${codeOf(error)}`);
    }
  }
}
