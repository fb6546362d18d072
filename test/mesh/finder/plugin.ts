import type { NodeId } from '../../../kernel/index.ts';
import { defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { PEERS } from '../../../plugins/peers/api.ts';

/** Looks for nodes by their id alone, as any plugin may. */
export default definePlugin({
  name: 'finder',
  version: '1.0.0',
  kernel: '^1',
  about: 'Finds nodes by their id',
  inject: { peers: PEERS },
  commands: {
    'finder.connect': defineCommand({
      about: 'Connect to a node by its id',
      params: Type.Object({ node_id: Type.String() }),
      result: Type.Object({ node_id: Type.String() }),
    }),
    'finder.visit': defineCommand({
      about: 'Dial an address for a session',
      params: Type.Object({ node_id: Type.String(), address: Type.String() }),
      result: Type.Object({}),
    }),
  },
  setup: (ctx) => ({
    commands: {
      'finder.visit': async ({ node_id, address }, { signal }) => {
        const request = { nodeId: node_id as NodeId, at: [address], purpose: 'visit', signal };
        await ctx.deps.peers.use((peers) => peers.connect(request));
        return {};
      },
      'finder.connect': async ({ node_id }, { signal }) => {
        const { peer } = await ctx.deps.peers.use((peers) =>
          peers.connect({ nodeId: node_id as NodeId, purpose: 'finder', signal }),
        );
        return { node_id: peer.nodeId };
      },
    },
  }),
});
