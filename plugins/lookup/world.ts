import { untilAborted } from '../../kernel/index.ts';
import type { Contribution, NodeId } from '../../kernel/index.ts';
import type { ConnectRequest, PeersService } from '../peers/api.ts';
import type { Reach, RoutingService } from '../routing/api.ts';
import { LOOKUP_STEP } from './api.ts';
import type { LookupContext } from './context.ts';
import type { LookupStep, StepCall } from './contract.ts';

/** What a lookup asks of peers, routing and its contributors. */
export interface LookupWorld {
  readonly routing: Pick<RoutingService, 'reach' | 'judge' | 'isShared'>;
  /** The ways to find a node, in their order. */
  steps(): readonly Contribution<LookupStep>[];
  /** True for a node whose handshake is finished. */
  isPeer(nodeId: NodeId): boolean;
  /** `held-off`: our user disconnected it. `declined`: its user disconnected us of late. */
  refusal(nodeId: NodeId): 'held-off' | 'declined' | undefined;
  /** How we see a connected peer: decides which addresses it may tell, and be told. */
  remoteAddr(nodeId: NodeId): string | undefined;
  /** Where the node was last reached, best first; `[]` when unknown. */
  addresses(nodeId: NodeId): readonly string[];
  /** Reaches the node at told addresses. @throws what `PeersService.connect` throws */
  connect(request: ConnectRequest & { readonly signal: AbortSignal }): Promise<unknown>;
  /** Reaches it where it was before, or by the connection that it has. @throws what `PeersService.connect` throws */
  connectKnown(nodeId: NodeId, options: StepCall & { readonly except?: ReadonlySet<string> }): Promise<unknown>;
  /** Until `work` ends nobody else leaves the node. @throws what `work` throws, or the signal's reason */
  during<R>(nodeId: NodeId, signal: AbortSignal, work: () => Promise<R>): Promise<R>;
  /** A node that was connected to be asked is not needed any more: closes what nothing else uses. */
  leave(nodeId: NodeId): void;
}

/** While routing is off nobody is known to be near. */
const NOWHERE: Reach = { layer: 'none', n2Reporters: [], n3Reporters: [] };
/** What a node is connected to for when it is only to be asked where another is. */
export const LOOKUP_PURPOSE = 'lookup';

export function lookupWorld({ ctx, network }: LookupContext): LookupWorld {
  const { peers, routing } = ctx.deps;
  return {
    routing: {
      reach: (nodeId) => routing.ask((service) => service.reach(nodeId), NOWHERE),
      judge: (reporter, verdict) => routing.ask((service) => service.judge(reporter, verdict), undefined),
      isShared: (nodeId) => routing.ask((service) => service.isShared(nodeId), false),
    },
    steps: () => ctx.contributions(LOOKUP_STEP),
    isPeer: (nodeId) => peers.ask((service) => service.isPeer(nodeId), false),
    refusal: (nodeId) => peers.ask((service) => service.refusal(nodeId), undefined),
    remoteAddr: (nodeId) => network.connectionsOf(nodeId).at(-1)?.remoteAddr,
    addresses: (nodeId) => peers.ask((service) => service.addresses(nodeId), []),
    connect: ({ signal, ...request }) =>
      peers.use((service, own) => service.connect({ ...request, signal: own }), { signal, restart: true }),
    connectKnown: (nodeId, { signal, ...options }) =>
      peers.use((service, own) => service.connectKnown(nodeId, { ...options, signal: own }), { signal, restart: true }),
    during: (nodeId, signal, work) => {
      // A swap of peers begins the holding again, not the work.
      let begun: ReturnType<typeof work> | undefined;
      const once = () => {
        begun ??= work();
        return begun;
      };
      const hold = (service: PeersService, own: AbortSignal) =>
        service.during(nodeId, LOOKUP_PURPOSE, () => untilAborted(once(), own));
      return peers.use(hold, { signal, restart: true }) as ReturnType<typeof work>;
    },
    leave: (nodeId) => peers.ask((service) => service.leave(nodeId), undefined),
  };
}
