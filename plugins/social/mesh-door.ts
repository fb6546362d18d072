import type { NodeId, PluginContext, Ref } from '../../kernel/index.ts';
import { meshReady } from '../mesh/api.ts';
import type { MeshService } from '../mesh/api.ts';

/** Step 0 of the cascade. Without `toldBy` mesh would take the addresses for proved ones. */
export interface CachedAddressesStep {
  readonly name: 'social-cache';
  readonly limitMs: number;
  find(
    target: NodeId,
  ): Promise<
    | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly toldBy: NodeId }
    | { readonly kind: 'nothing'; readonly reason: string }
  >;
}

/** The step before the search of strangers: who of a contact's preferred peers may know where it is (NPT-07). */
export interface PreferredPeersStep {
  readonly name: 'preferred-peers';
  readonly limitMs: number;
  find(
    target: NodeId,
  ): Promise<
    | { readonly kind: 'through'; readonly nodes: readonly NodeId[] }
    | { readonly kind: 'nothing'; readonly reason: string }
  >;
}

/** What routing asks of mesh beyond connections; a mesh without it is asked to redial instead. */
interface Finding {
  connectTo(nodeId: NodeId, options: { purpose: string; signal?: AbortSignal }): Promise<unknown>;
  /** Peers that have the node in their N1. */
  reach(nodeId: NodeId): { readonly n2Reporters: readonly NodeId[] };
  nplus10(): readonly NodeId[];
  nplus10Of(nodeId: NodeId): readonly NodeId[];
  contributeN1(source: () => Iterable<NodeId>): () => void;
  offerStep(step: CachedAddressesStep | PreferredPeersStep): () => void;
}
export type FindingMesh = MeshService & Partial<Finding>;

/**
 * Gives mesh something for the life of a generation, again after each swap of mesh. `give` returns its
 * undo. Call it in `setup` and call what it returns in `activate`.
 */
export function offerToMesh(
  // biome-ignore lint/suspicious/noExplicitAny: any plugin's context will do
  ctx: Pick<PluginContext<any, any>, 'on' | 'defer'>,
  mesh: () => Ref<MeshService> | undefined,
  give: (service: FindingMesh) => (() => void) | undefined,
): () => Promise<void> {
  let undo: (() => void) | undefined;
  const offer = async (): Promise<void> => {
    const ref = mesh();
    if (ref?.available !== true) return;
    await ref.use((service) => {
      undo?.();
      undo = give(service);
    });
  };
  ctx.on(meshReady, offer);
  ctx.defer(() => undo?.());
  return offer;
}
