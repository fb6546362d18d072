import { peerKey } from '../../kernel/index.ts';
import type { ConnectionKind, DeviceId, Network, NodeId, PeerId } from '../../kernel/index.ts';
import type { ConnectedPeer, ConnectedPeers } from '../peers/api.ts';
import type { RoutingPeer, RoutingPeers } from './contract.ts';

/** LAY-03: what is in N1 and takes part in routing. */
const ROUTING_KINDS: ReadonlySet<ConnectionKind> = new Set(['mesh', 'keep-alive', 'lan']);

/** The peers of this node, each device once, and whether they take part in routing. */
export class NetworkPeers implements RoutingPeers {
  readonly #network: Network;
  readonly #connected: ConnectedPeers;

  constructor(network: Network, connected: ConnectedPeers) {
    this.#network = network;
    this.#connected = connected;
  }

  /** True while any connection to this device lives, a peer's or not. */
  hasDevice({ nodeId, deviceId }: PeerId): boolean {
    return this.#network.connectionsOf(nodeId).some(({ peer }) => peer.deviceId === deviceId);
  }

  *peers(): Iterable<RoutingPeer> {
    const found = new Map<string, RoutingPeer>();
    for (const connected of this.#connected.all()) {
      const known = found.get(peerKey(connected.peer));
      const view = known?.routes === true ? known : this.#view(connected);
      if (view !== undefined) found.set(peerKey(connected.peer), view);
    }
    yield* found.values();
  }

  peer(nodeId: NodeId, deviceId: DeviceId): RoutingPeer | undefined {
    let found: RoutingPeer | undefined;
    for (const connected of this.#connected.of(nodeId)) {
      if (connected.peer.deviceId !== deviceId) continue;
      if (found?.routes !== true) found = this.#view(connected) ?? found;
    }
    return found;
  }

  isConnected(nodeId: NodeId): boolean {
    return this.#connected.has(nodeId);
  }

  #view({ connectionId, peer, features }: ConnectedPeer): RoutingPeer | undefined {
    const kind = this.#network.kindOf(connectionId);
    return kind === undefined ? undefined : { peer, features, routes: ROUTING_KINDS.has(kind) };
  }
}
