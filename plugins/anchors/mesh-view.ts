import type { NodeId } from '../../kernel/index.ts';
import type { MeshService } from '../mesh/api.ts';

/** What anchors asks of mesh's knowledge and growth; each is absent in a mesh without that part. */
interface Knowing {
  reach(nodeId: NodeId): { readonly layer: string; readonly n2Reporters: readonly NodeId[] };
  randomN2(): NodeId | undefined;
  requestGrowth(): void;
  contributeN1(source: () => Iterable<NodeId>): () => void;
  n1Changed(): void;
}

export type MeshView = MeshService & Partial<Knowing>;
