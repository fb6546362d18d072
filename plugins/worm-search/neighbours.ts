import { codeOf, linkSignals } from '../../kernel/index.ts';
import type { Network, NodeId } from '../../kernel/index.ts';
import type { LookupService } from '../lookup/api.ts';
import type { ConnectRequest, PeersService } from '../peers/api.ts';
import type { RoutingService } from '../routing/api.ts';
import type { WormContext } from './context.ts';
import { wormQuery } from './messages.ts';

/** Marks what a search looks up itself, so that no search starts another. */
export const WORM_PURPOSE = 'worm-search';
/** A referred node is of the N2 of one of our peers, so our own N3 leads there. */
const OWN_STEPS = ['peers-table', 'ask-n2-reporter', 'ask-n3-chain'];

/** Who is around: all that worm search asks of peers, routing and the network. */
export class Neighbours {
  readonly network: Network;
  readonly #ctx: WormContext;

  constructor(ctx: WormContext, network: Network) {
    this.#ctx = ctx;
    this.network = network;
  }

  /** Resolves when neither peers nor routing is being swapped: what they know is not half of it. @throws lifecycle/service-off, the signal's reason */
  async settled(signal: AbortSignal): Promise<void> {
    await this.#ctx.deps.peers.use(() => undefined, { signal });
    await this.#ctx.deps.routing.use(() => undefined, { signal });
  }

  /** Mesh peers that answer queries. */
  wormPeers(): readonly NodeId[] {
    const peers = this.#peers((service) => service.peers(), []);
    const answering = peers.filter(({ kind, features }) => kind === 'mesh' && features.includes(wormQuery.name));
    return [...new Set(answering.map(({ peer }) => peer.nodeId))];
  }

  /** Who has the node in its N1 or N2; `undefined` when it is in neither our N2 nor our N3. */
  reporters(nodeId: NodeId): readonly NodeId[] | undefined {
    const reach = this.#routing((service) => service.reach(nodeId), undefined);
    return reach === undefined || reach.layer === 'none' ? undefined : [...reach.n2Reporters, ...reach.n3Reporters];
  }

  randomN2(): NodeId | undefined {
    return this.#routing((service) => service.randomN2(), undefined);
  }

  addresses(nodeId: NodeId): readonly string[] {
    return this.#peers((service) => service.addresses(nodeId), []);
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
        await this.#reach({ nodeId, told: { addresses, by: toldBy }, purpose: WORM_PURPOSE }, signal);
      }
      return this.network.connectionsOf(nodeId).length > 0;
    } finally {
      limited.dispose();
    }
  }

  /** Does nothing for a node that nobody reports: its lookup would go through every stored address. @throws resolve/unreachable, the signal's reason */
  async connectByKnowledge(nodeId: NodeId, signal: AbortSignal): Promise<void> {
    if (this.reporters(nodeId) === undefined) return;
    await this.#reach({ nodeId, purpose: WORM_PURPOSE, search: OWN_STEPS }, signal);
  }

  /** Where reporters say that a node of our N2 or N3 is; `[]` when none tells in time. */
  async locate(nodeId: NodeId, signal: AbortSignal, limitMs: number): Promise<readonly string[]> {
    const limited = linkSignals([signal], { deadlineMs: limitMs, clock: this.#ctx.clock });
    const options = { signal: limited.signal, restart: true } as const;
    try {
      const locate = (service: LookupService, own: AbortSignal) => service.locate(nodeId, { signal: own });
      return (await this.#ctx.deps.lookup.tryUse(locate, options)) ?? [];
    } catch (error) {
      this.#ctx.counters.add(`not-located.${codeOf(error)}`);
      return [];
    } finally {
      limited.dispose();
    }
  }

  async #reach(request: ConnectRequest, signal: AbortSignal): Promise<void> {
    await this.#ctx.deps.peers.use((service, own) => service.connect({ ...request, signal: own }), {
      signal,
      restart: true,
    });
  }

  #peers<R>(ask: (service: PeersService) => R, fallback: R): R {
    return this.#ctx.deps.peers.ask(ask, fallback);
  }

  #routing<R>(ask: (service: RoutingService) => R, fallback: R): R {
    return this.#ctx.deps.routing.ask(ask, fallback);
  }
}
