import { peerKey } from '../../kernel/index.ts';
import type { ConnectionKind, DeviceId, NodeId, PeerId } from '../../kernel/index.ts';
import type { RoutingContext } from './context.ts';
import type { RoutingPeer, RoutingPeers } from './contract.ts';

/** LAY-03: what is in N1 and takes part in routing. */
const ROUTING_KINDS: ReadonlySet<ConnectionKind> = new Set(['mesh', 'keep-alive', 'lan']);

interface Connected {
  readonly peer: PeerId;
  features: readonly string[];
}

/** Who is a peer, by connection: read once from peers, and kept by its events from then on. */
export class ConnectedPeers implements RoutingPeers {
  readonly #routing: RoutingContext;
  #known: Map<number, Connected> | undefined;

  constructor(routing: RoutingContext) {
    this.#routing = routing;
  }

  came(connectionId: number, peer: PeerId, features: readonly string[]): void {
    this.#all().set(connectionId, { peer, features });
  }

  changed(connectionId: number, features: readonly string[]): void {
    const connected = this.#all().get(connectionId);
    if (connected !== undefined) connected.features = features;
  }

  went(connectionId: number): void {
    this.#all().delete(connectionId);
  }

  /** True while any connection to this device lives, a peer's or not. */
  hasDevice({ nodeId, deviceId }: PeerId): boolean {
    return this.#routing.network.connectionsOf(nodeId).some(({ peer }) => peer.deviceId === deviceId);
  }

  *peers(): Iterable<RoutingPeer> {
    const found = new Map<string, RoutingPeer>();
    for (const [id, connected] of this.#all()) {
      const known = found.get(peerKey(connected.peer));
      const view = known?.routes === true ? known : this.#view(id, connected);
      if (view !== undefined) found.set(peerKey(connected.peer), view);
    }
    yield* found.values();
  }

  peer(nodeId: NodeId, deviceId: DeviceId): RoutingPeer | undefined {
    let found: RoutingPeer | undefined;
    for (const { id } of this.#routing.network.connectionsOf(nodeId)) {
      const connected = this.#all().get(id);
      if (connected?.peer.deviceId !== deviceId) continue;
      if (found?.routes !== true) found = this.#view(id, connected) ?? found;
    }
    return found;
  }

  isConnected(nodeId: NodeId): boolean {
    const known = this.#all();
    return this.#routing.network.connectionsOf(nodeId).some(({ id }) => known.has(id));
  }

  #view(id: number, { peer, features }: Connected): RoutingPeer | undefined {
    const kind = this.#routing.network.kindOf(id);
    return kind === undefined ? undefined : { peer, features, routes: ROUTING_KINDS.has(kind) };
  }

  /** Not before the commit: until then the generation before this one hears of who comes and goes. */
  #all(): Map<number, Connected> {
    if (this.#known !== undefined) return this.#known;
    const peers = this.#routing.ctx.deps.peers.ask((service) => service.peers(), []);
    this.#known = new Map(peers.map(({ connectionId, peer, features }) => [connectionId, { peer, features }]));
    return this.#known;
  }
}
