import { linkSignals } from '../../kernel/index.ts';
import type { Network, NodeId } from '../../kernel/index.ts';
import type { MeshService } from '../mesh/api.ts';
import type { WormContext } from './context.ts';
import { wormQuery } from './messages.ts';

/** What a search may ask of mesh without waiting; good until the call it was handed to returns. */
export interface MeshView {
  /** Mesh peers that answer queries. */
  wormPeers(): readonly NodeId[];
  /** Who has the node in its N1 or N2; `undefined` when it is in neither our N2 nor our N3. */
  reporters(nodeId: NodeId): readonly NodeId[] | undefined;
  randomN2(): NodeId | undefined;
  addresses(nodeId: NodeId): readonly string[];
}

/** What lies within three hops; a mesh without it leaves a search with its connections alone. */
interface Knowledge {
  reach(nodeId: NodeId): {
    readonly layer: string;
    readonly n2Reporters: readonly NodeId[];
    readonly n3Reporters: readonly NodeId[];
  };
  randomN2(): NodeId | undefined;
}
type Knowing = MeshService & Partial<Knowledge>;

/** The one place where worm search meets mesh and the network. */
export class MeshDoor {
  readonly network: Network;
  readonly #ctx: WormContext;

  constructor(ctx: WormContext, network: Network) {
    this.#ctx = ctx;
    this.network = network;
  }

  /** `call` must not be async. @throws lifecycle/service-off, the signal's reason */
  use<R>(call: (view: MeshView) => R, signal: AbortSignal): Promise<Awaited<R>> {
    return this.#ctx.deps.mesh.use((service) => call(viewOf(service)), { signal });
  }

  /** Without what must not be dialled on the word of this node. */
  dialable(addresses: readonly string[], toldBy: NodeId): readonly string[] {
    if (toldBy === this.network.self.nodeId) return addresses;
    const seenAt = this.network.connectionsOf(toldBy)[0]?.remoteAddr ?? '';
    return addresses.filter((address) => this.network.mayDial(address, seenAt));
  }

  /** Resolves with true when the node is connected; it is dialled where `toldBy` says it is. */
  async connect(
    nodeId: NodeId,
    addresses: readonly string[],
    toldBy: NodeId,
    options: { signal: AbortSignal; limitMs: number },
  ): Promise<boolean> {
    if (this.network.connectionsOf(nodeId).length > 0) return true;
    const told = this.dialable(addresses, toldBy);
    if (told.length === 0) return false;
    const limited = linkSignals([options.signal], { deadlineMs: options.limitMs, clock: this.#ctx.clock });
    try {
      await this.network.dial({ nodeId, addresses: told }, { signal: limited.signal });
      return true;
    } finally {
      limited.dispose();
    }
  }
}

function viewOf(service: Knowing): MeshView {
  return {
    wormPeers: () => {
      const peers = service
        .peers()
        .filter(({ kind, features }) => kind === 'mesh' && features.includes(wormQuery.name));
      return [...new Set(peers.map(({ peer }) => peer.nodeId))];
    },
    reporters: (nodeId) => {
      const reach = service.reach?.(nodeId);
      if (reach === undefined || reach.layer === 'none') return undefined;
      return [...reach.n2Reporters, ...reach.n3Reporters];
    },
    randomN2: () => service.randomN2?.(),
    addresses: (nodeId) => service.addresses(nodeId),
  };
}
