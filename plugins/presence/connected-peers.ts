import type { ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import { peerFeaturesChanged, peerGone, peerReady } from '../peers/api.ts';
import type { PeersService } from '../peers/api.ts';

/** Who is connected and what they take, kept from the events of peers so that it can be asked at once. */
export class ConnectedPeers {
  /** Features by connection, by node. The kernel caps connections. */
  readonly #peers = new Map<NodeId, Map<number, ReadonlySet<string>>>();
  readonly #service: Ref<PeersService>;

  constructor(ctx: ContextBase, service: Ref<PeersService>) {
    this.#service = service;
    ctx.on(peerReady, ({ peer, connectionId, features }) => this.#add(peer.nodeId, connectionId, features));
    ctx.on(peerFeaturesChanged, ({ peer, connectionId, features }) => this.#add(peer.nodeId, connectionId, features));
    ctx.on(peerGone, ({ peer, connectionId }) => {
      const connections = this.#peers.get(peer.nodeId);
      connections?.delete(connectionId);
      if (connections?.size === 0) this.#peers.delete(peer.nodeId);
    });
  }

  has(nodeId: NodeId): boolean {
    return this.#peers.has(nodeId);
  }

  nodes(): readonly NodeId[] {
    return [...this.#peers.keys()];
  }

  takes(nodeId: NodeId, feature: string): boolean {
    return [...(this.#peers.get(nodeId)?.values() ?? [])].some((features) => features.has(feature));
  }

  /** Asks peers anew, at once, so that no event falls between: those before this generation are missing. */
  refresh(): void {
    const peers = this.#service.ask((service) => service.peers(), []);
    this.#peers.clear();
    for (const { peer, connectionId, features } of peers) this.#add(peer.nodeId, connectionId, features);
  }

  #add(nodeId: NodeId, connectionId: number, features: readonly string[]): void {
    const connections = this.#peers.get(nodeId) ?? new Map<number, ReadonlySet<string>>();
    this.#peers.set(nodeId, connections.set(connectionId, new Set(features)));
  }
}
