import { defineCommand, idParam, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { ReachBadge } from '../peers/api.ts';
import type { RoutingView } from './contract.ts';

export const routingCommands = {
  'peer.reach': defineCommand({
    about: 'Say how many hops away a node is, and which peers report it',
    params: Type.Object({ node_id: idParam(['node'], 'Node id') }),
    result: Type.Object({
      node_id: Type.String(),
      /** `n1` connected, `n2` one hop behind a peer, `n3` two hops behind, `none` farther. */
      layer: Type.String(),
      /** The layer, or `mesh` for a node that holds a mesh slot here. */
      reach: ReachBadge,
      n2_reporters: Type.Array(Type.String()),
      n3_reporters: Type.Array(Type.String()),
    }),
    positional: ['node_id'],
    text: ({ layer, reach, n2_reporters, n3_reporters }) =>
      layer === 'none'
        ? 'It is not within three hops.'
        : `${reach === 'mesh' ? 'Mesh, ' : ''}${layer.toUpperCase()}; reported by ${n2_reporters.length} peers in N2 and ${n3_reporters.length} in N3`,
  }),
};

/** What `peer reach` answers. */
export function describeReach(routing: RoutingView, nodeId: NodeId, reach: ReachBadge) {
  const { layer, n2Reporters, n3Reporters } = routing.reach(nodeId);
  return { node_id: nodeId, layer, reach, n2_reporters: [...n2Reporters], n3_reporters: [...n3Reporters] };
}
