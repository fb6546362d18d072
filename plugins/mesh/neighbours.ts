import type { NodeId } from '../../kernel/index.ts';
import type { ConnectRequest, PeerInfo } from '../peers/api.ts';
import type { Candidate } from '../routing/api.ts';
import type { MeshContext } from './context.ts';

/** What mesh asks of peers and routing; all but the last two answer at once. */
export interface Neighbours {
  peers(): readonly PeerInfo[];
  peer(connectionId: number): PeerInfo | undefined;
  isRemembered(nodeId: NodeId): boolean;
  isHeldOff(nodeId: NodeId): boolean;
  addresses(nodeId: NodeId): readonly string[];
  purposes(nodeId: NodeId): readonly string[];
  readonly zombieMs: number;
  /** This node has got a slot or lost it. */
  slotChanged(nodeId: NodeId, holdsSlot: boolean): void;
  returnLeft(limit: number): void;
  candidates(limit: number, isExcluded?: (nodeId: NodeId) => boolean): readonly Candidate[];
  reporters(nodeId: NodeId): readonly NodeId[];
  diversity(nodeId: NodeId): number;
  /** @throws what `PeersService.connect` throws */
  connect(request: ConnectRequest & { readonly signal: AbortSignal }): Promise<PeerInfo>;
  /** Asks again for a slot, on a connection that has none. */
  askAgain(connectionId: number, purpose: string): Promise<void>;
}

export function neighboursOf({ ctx }: MeshContext): Neighbours {
  const { peers, routing } = ctx.deps;
  return {
    peers: () => peers.ask((service) => service.peers(), []),
    peer: (connectionId) => peers.ask((service) => service.peer(connectionId), undefined),
    isRemembered: (nodeId) => peers.ask((service) => service.isRemembered(nodeId), false),
    isHeldOff: (nodeId) => peers.ask((service) => service.refusal(nodeId) === 'held-off', false),
    addresses: (nodeId) => peers.ask((service) => service.addresses(nodeId), []),
    purposes: (nodeId) => peers.ask((service) => service.purposes(nodeId), []),
    get zombieMs() {
      return peers.ask((service) => service.zombieMs, Number.POSITIVE_INFINITY);
    },
    slotChanged: (nodeId, holdsSlot) => {
      peers.ask((service) => service.slotChanged(nodeId, holdsSlot), undefined);
      routing.ask((service) => service.n1Changed(), undefined);
    },
    returnLeft: (limit) => peers.ask((service) => service.returnLeft(limit), undefined),
    candidates: (limit, isExcluded) => routing.ask((service) => service.candidates(limit, isExcluded), []),
    reporters: (nodeId) => routing.ask((service) => service.reach(nodeId).n2Reporters, []),
    diversity: (nodeId) => routing.ask((service) => service.diversity(nodeId), 0),
    connect: ({ signal, ...request }) =>
      peers.use((service, own) => service.connect({ ...request, signal: own }), { signal, restart: true }),
    askAgain: (connectionId, purpose) =>
      peers.use((service, own) => service.askAgain(connectionId, purpose, own), { signal: ctx.signal, restart: true }),
  };
}
