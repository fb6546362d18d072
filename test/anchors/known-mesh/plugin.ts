import type { NodeId } from '../../../kernel/index.ts';
import type { MeshService } from '../../../plugins/mesh/api.ts';
import mesh from '../../../plugins/mesh/plugin.ts';

/** The N1 of every node of this process: a swap loads this file anew, so that it cannot live in the module. */
const shared = globalThis as { anchorsTestN1?: Map<NodeId, () => readonly NodeId[]> };
shared.anchorsTestN1 ??= new Map();
const n1Of = shared.anchorsTestN1;

/**
 * Mesh whose knowledge is right at every instant: N2 and N3 are read off the other nodes' connections,
 * so that a test says all by whom it connects.
 */
export default {
  ...mesh,
  setup: async (ctx: Parameters<typeof mesh.setup>[0]) => {
    const parts = await mesh.setup(ctx);
    const service = parts.services?.[0]?.service as MeshService;
    const sources = new Set<() => Iterable<NodeId>>();
    const peers = () => service.peers().map(({ peer }) => peer.nodeId);
    const n1 = () => [...peers(), ...[...sources].flatMap((source) => [...source()])];
    const self = ctx.self.nodeId;
    n1Of.set(self, n1);
    ctx.defer(() => void (n1Of.get(self) === n1 && n1Of.delete(self)));
    const n2 = (of: NodeId) => (n1Of.get(of)?.() ?? []).filter((id) => id !== self);
    Object.assign(service, {
      reach: (id: NodeId) => {
        const n2Reporters = peers().filter((peer) => n2(peer).includes(id));
        const n3Reporters = peers().filter((peer) => n2(peer).some((second) => n2(second).includes(id)));
        const layer = n1().includes(id) ? 'n1' : n2Reporters.length > 0 ? 'n2' : n3Reporters.length > 0 ? 'n3' : 'none';
        return { layer, n2Reporters, n3Reporters };
      },
      randomN2: () => {
        const near = new Set(n1());
        const found = peers()
          .flatMap(n2)
          .filter((id) => !near.has(id));
        return found.length === 0 ? undefined : found[ctx.random.integer(found.length)];
      },
      contributeN1: (source: () => Iterable<NodeId>) => {
        sources.add(source);
        return () => sources.delete(source);
      },
    });
    return parts;
  },
};
