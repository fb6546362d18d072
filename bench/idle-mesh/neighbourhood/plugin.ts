import { definePlugin } from '../../../kernel/index.ts';
import type { NodeId } from '../../../kernel/index.ts';
import { MESH } from '../../../plugins/mesh/api.ts';

const NEIGHBOURS = 100;

/** Gives a node a neighbourhood that is only told of: as many mesh peers as a node has in a large network. */
export default definePlugin({
  name: 'neighbourhood',
  version: '1.0.0',
  kernel: '^1',
  about: 'Names nodes that are nowhere',
  inject: { mesh: MESH },
  setup: (ctx) => ({
    activate: async () => {
      const ids = Array.from({ length: NEIGHBOURS }, () => Buffer.from(ctx.random.bytes(32)).toString('hex') as NodeId);
      await ctx.deps.mesh.use((mesh) => {
        mesh.contributeN1(() => ids);
        mesh.n1Changed();
      });
    },
  }),
});
