import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { Network, NodeId, Ref } from '../../kernel/index.ts';
import { meshReady } from '../mesh/api.ts';
import type { CascadeStep, MeshService } from '../mesh/api.ts';
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

/** Marks what a search resolves itself, so that no search starts another. */
export const WORM_PURPOSE = 'worm-search';
/** A referred node is of the N2 of one of our peers, so our own N3 leads there. */
const OWN_STEPS = ['peers-table', 'ask-n2-reporter', 'ask-n3-chain'] as const;

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
    return this.#mesh.use((service) => call(viewOf(service)), { signal });
  }

  /** Without what must not be dialled on the word of this node. */
  dialable(addresses: readonly string[], toldBy: NodeId): readonly string[] {
    if (toldBy === this.network.self.nodeId) return addresses;
    const seenAt = this.network.connectionsOf(toldBy)[0]?.remoteAddr ?? '';
    return addresses.filter((address) => this.network.mayDial(address, seenAt));
  }

  /**
   * Resolves with true when the node is connected: dialled where `toldBy` says that it is, or found by
   * our own knowledge when that is nowhere.
   */
  async connect(
    nodeId: NodeId,
    addresses: readonly string[],
    toldBy: NodeId,
    options: { signal: AbortSignal; limitMs: number },
  ): Promise<boolean> {
    const limited = linkSignals([options.signal], { deadlineMs: options.limitMs, clock: this.#ctx.clock });
    const { signal } = limited;
    try {
      if (addresses.length === 0) await this.connectByKnowledge(nodeId, signal);
      else {
        const told = { addresses, by: toldBy };
        await this.#mesh.use((service) => service.connect({ nodeId, told, purpose: WORM_PURPOSE, signal }), { signal });
      }
      return this.network.connectionsOf(nodeId).length > 0;
    } finally {
      limited.dispose();
    }
  }

  /** @throws resolve/unreachable, the signal's reason */
  connectByKnowledge(nodeId: NodeId, signal: AbortSignal): Promise<unknown> {
    return this.#mesh.use(
      (service) => {
        // Asked for an address it does not know, mesh would go through its whole address book.
        if (reportersOf(service, nodeId) === undefined) return undefined;
        return service.connect({ nodeId, purpose: WORM_PURPOSE, signal, search: OWN_STEPS });
      },
      { signal },
    );
  }

  /** Where reporters say that a node of our N2 or N3 is; `[]` when none tells in time. */
  async locate(nodeId: NodeId, signal: AbortSignal, limitMs: number): Promise<readonly string[]> {
    const limited = linkSignals([signal], { deadlineMs: limitMs, clock: this.#ctx.clock });
    try {
      return await this.#mesh.use((service) => service.locate(nodeId, { signal: limited.signal }), {
        signal: limited.signal,
      });
    } catch (error) {
      this.#ctx.counters.add(`not-located.${codeOf(error)}`);
      return [];
    } finally {
      limited.dispose();
    }
  }

  /**
   * Offers the step for the life of the generation, again after each swap of mesh. Call it in `setup`
   * and call what it returns in `activate`.
   */
  offerStep(step: CascadeStep): () => Promise<void> {
    let undo: (() => void) | undefined;
    const offer = async (): Promise<void> => {
      if (!this.#mesh.available) return;
      await this.#mesh.use((service) => {
        undo?.();
        undo = service.offerStep(step);
      });
    };
    this.#ctx.on(meshReady, offer);
    this.#ctx.defer(() => undo?.());
    return offer;
  }

  get #mesh(): Ref<MeshService> {
    return this.#ctx.deps.mesh;
  }
}

function viewOf(service: MeshService): MeshView {
  return {
    wormPeers: () => {
      const peers = service
        .peers()
        .filter(({ kind, features }) => kind === 'mesh' && features.includes(wormQuery.name));
      return [...new Set(peers.map(({ peer }) => peer.nodeId))];
    },
    reporters: (nodeId) => reportersOf(service, nodeId),
    randomN2: () => service.randomN2(),
    addresses: (nodeId) => service.addresses(nodeId),
  };
}

function reportersOf(service: MeshService, nodeId: NodeId): readonly NodeId[] | undefined {
  const reach = service.reach(nodeId);
  if (reach.layer === 'none') return undefined;
  return [...reach.n2Reporters, ...reach.n3Reporters];
}
