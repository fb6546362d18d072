import { connectionClosed } from '../../kernel/index.ts';
import type { ContextBase, Network, NodeId, PeerId } from '../../kernel/index.ts';
import { peerFeaturesChanged, peerReady } from './topics.ts';

/** A connection whose handshake is finished. */
export interface ConnectedPeer {
  readonly peer: PeerId;
  readonly connectionId: number;
  readonly features: readonly string[];
}

interface Sources {
  readonly ctx: Pick<ContextBase, 'on'>;
  readonly network: Pick<Network, 'connectionsOf'>;
  /** Asks peers who is one now; `[]` while peers is off. */
  present(): readonly ConnectedPeer[];
}

/**
 * Who is a peer and what it takes, for other plugins that ask it often: read once from peers, and kept by
 * events from then on. As many entries as there are connections, which the kernel caps.
 */
export class ConnectedPeers {
  readonly #sources: Sources;
  #known: Map<number, ConnectedPeer> | undefined;

  constructor(sources: Sources) {
    const { ctx } = sources;
    this.#sources = sources;
    const keep = ({ peer, connectionId, features }: ConnectedPeer): void => {
      this.#all().set(connectionId, { peer, connectionId, features });
    };
    ctx.on(peerReady, keep);
    ctx.on(peerFeaturesChanged, keep);
    ctx.on(connectionClosed, ({ id }) => void this.#all().delete(id));
  }

  all(): Iterable<ConnectedPeer> {
    return this.#all().values();
  }

  /** The connections of one node; quick enough for loops over many ids. */
  of(nodeId: NodeId): readonly ConnectedPeer[] {
    const known = this.#all();
    return this.#sources.network.connectionsOf(nodeId).flatMap(({ id }) => known.get(id) ?? []);
  }

  has(nodeId: NodeId): boolean {
    const known = this.#all();
    return this.#sources.network.connectionsOf(nodeId).some(({ id }) => known.has(id));
  }

  /** Each node once. */
  nodes(): readonly NodeId[] {
    return [...new Set([...this.all()].map(({ peer }) => peer.nodeId))];
  }

  takes(nodeId: NodeId, feature: string): boolean {
    return this.of(nodeId).some(({ features }) => features.includes(feature));
  }

  /** Asks peers anew at the next question: it was off, or is another than before. */
  refresh(): void {
    this.#known = undefined;
  }

  /** Not before the commit: until then the generation before this one hears of who comes and goes. */
  #all(): Map<number, ConnectedPeer> {
    this.#known ??= new Map(this.#sources.present().map((peer) => [peer.connectionId, peer]));
    return this.#known;
  }
}
