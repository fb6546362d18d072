import type { NodeId } from '../../../kernel/index.ts';
import type { ConnectRequest } from '../api.ts';
import type { KnowledgeView } from '../knowledge/contract.ts';
import type { StepCall } from './contract.ts';

/** What the cascade asks of the rest of mesh. `Connected` is mesh's own form of a peer. */
export interface ResolveHost<Connected> {
  readonly knowledge: Pick<KnowledgeView, 'reach' | 'judge' | 'isShared'>;
  /** The node as a peer whose exchange is finished. */
  connected(nodeId: NodeId): Connected | undefined;
  /** `held-off`: our user disconnected it. `declined`: its user disconnected us of late. */
  refusal(nodeId: NodeId): 'held-off' | 'declined' | undefined;
  /** How we see a connected peer: decides which addresses it may tell, and be told. */
  remoteAddr(nodeId: NodeId): string | undefined;
  /** Where the node was last reached, best first; `[]` when unknown. */
  addresses(nodeId: NodeId): readonly string[];
  /** Reaches the node at told addresses. @throws what `MeshService.connect` throws */
  connect(request: ConnectRequest): Promise<Connected>;
  /** Reaches it where it was before. @throws what `MeshService.connect` throws */
  connectKnown(nodeId: NodeId, options: StepCall & { readonly except: ReadonlySet<string> }): Promise<Connected>;
  /** Until `work` ends a connection to the node asks for no mesh slot on our account (MESH-07). */
  asSession<R>(nodeId: NodeId, work: () => Promise<R>): Promise<R>;
  /** A node that was connected to be asked is not needed any more: closes what nothing else uses. */
  leave(nodeId: NodeId): void;
  /** Resolves when a connection to the node, made by somebody else, has finished its exchange. */
  whenConnected(nodeId: NodeId, signal: AbortSignal): Promise<Connected>;
}
