import { defineCommand, Type } from '../../../kernel/index.ts';
import type { NodeId, Static } from '../../../kernel/index.ts';
import type { SlotKind } from '../api.ts';
import type { KnowledgeView } from './contract.ts';

/** The badge of a node: it holds a mesh slot, or else its layer. */
export const ReachBadge = Type.Union([
  Type.Literal('mesh'),
  Type.Literal('n1'),
  Type.Literal('n2'),
  Type.Literal('n3'),
  Type.Literal('none'),
]);
export type ReachBadge = Static<typeof ReachBadge>;

export function reachBadge(knowledge: Pick<KnowledgeView, 'layerOf'>, nodeId: NodeId, slot: SlotKind): ReachBadge {
  return slot === 'none' ? knowledge.layerOf(nodeId) : 'mesh';
}

export const knowledgeCommands = {
  'peer.reach': defineCommand({
    about: 'Say how many hops away a node is, and which peers report it',
    params: Type.Object({ node_id: Type.String({ description: 'Node id, 64 hex characters' }) }),
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
export function describeReach(knowledge: KnowledgeView, nodeId: NodeId, slot: SlotKind) {
  const { layer, n2Reporters, n3Reporters } = knowledge.reach(nodeId);
  const reach = reachBadge(knowledge, nodeId, slot);
  return { node_id: nodeId, layer, reach, n2_reporters: [...n2Reporters], n3_reporters: [...n3Reporters] };
}
