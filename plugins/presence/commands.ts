import { defineCommand, idParam, readNodeId, Type } from '../../kernel/index.ts';
import type { CommandHandlers } from '../../kernel/index.ts';
import { presenceErrors } from './errors.ts';
import type { Routes } from './routes.ts';

export const presenceCommands = {
  'follow.show': defineCommand({
    about: 'Show where somebody you follow, or who follows you, was last reached and by whom',
    params: Type.Object({ node_id: idParam(['node'], 'Node id') }),
    result: Type.Object({
      node_id: Type.String(),
      relation: Type.String(),
      online: Type.Boolean(),
      reach: Type.Union([
        Type.Literal('direct'),
        Type.Literal('relay'),
        Type.Literal('indirect'),
        Type.Literal('none'),
      ]),
      last_connected_ms: Type.Integer(),
      addresses: Type.Array(Type.String()),
      nplus10: Type.Array(Type.String()),
      /** Its preferred peers and theirs. */
      preferred_tree: Type.Array(Type.String()),
    }),
    positional: ['node_id'],
  }),
};

export function presenceCommandHandlers(routes: Routes): CommandHandlers<typeof presenceCommands> {
  return {
    'follow.show': (params) => {
      const nodeId = readNodeId(params.node_id);
      const route = routes.get(nodeId);
      if (route === undefined) throw presenceErrors.make('no-contact', { node_id: nodeId });
      const { relation, online, reachMethod, lastConnectedMs, addresses, nplus10, preferredTree } = route;
      return {
        node_id: nodeId,
        relation,
        online,
        reach: online ? reachMethod : 'none',
        last_connected_ms: lastConnectedMs,
        addresses: [...addresses],
        nplus10: [...nplus10],
        preferred_tree: [...preferredTree],
      };
    },
  };
}
