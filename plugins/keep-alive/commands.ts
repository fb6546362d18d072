import { defineCommand, readNodeId, Type } from '../../kernel/index.ts';
import type { CommandHandlers, Network, NodeId } from '../../kernel/index.ts';
import type { Need } from './api.ts';
import { keepAliveErrors } from './errors.ts';
import { ABSENT_CHECKS } from './kept-connections.ts';
import type { KeptConnections } from './kept-connections.ts';

/** Needed nodes one answer lists. */
const LISTED_MAX = 1_000;

const Contact = Type.Object({
  node_id: Type.String(),
  /** Why it must stay findable. */
  reason: Type.String(),
  /** The rule that decides at this moment, in words. */
  verdict: Type.String(),
  absent_checks: Type.Integer(),
  /** To whom its session goes. */
  host: Type.Optional(Type.String()),
  /** The nodes tried for it last, in order. */
  tries: Type.Array(Type.Object({ host: Type.String(), why: Type.String(), result: Type.String() })),
});

const Member = Type.Object({
  node_id: Type.String(),
  /** Kind of its connection; `none` when it has none. */
  connection: Type.String(),
  /** Why it is a member; absent for the mesh. */
  reason: Type.Optional(Type.String()),
});

export const keepAliveCommands = {
  'keepalive.explain': defineCommand({
    about: 'Say of each node that must stay findable how it is, and which session keeps it so',
    params: Type.Object({ node_id: Type.Optional(Type.String({ description: 'One node only, 64 hex characters' })) }),
    result: Type.Object({
      contacts: Type.Array(Contact),
      sessions: Type.Integer(),
      sessions_max: Type.Integer(),
    }),
    positional: ['node_id'],
  }),
  layers: defineCommand({
    about: 'List the members of each layer, and how each is connected',
    params: Type.Object({}),
    result: Type.Object({ mesh: Type.Array(Member), social: Type.Array(Member), file: Type.Array(Member) }),
  }),
};

interface CommandParts {
  readonly network: Network;
  readonly sessions: KeptConnections;
  readonly nowMs: () => number;
  readonly max: number;
  needs(): readonly Need[];
  /** False while nobody knows what is in sight. */
  canCheck(): boolean;
}

export function keepAliveCommandHandlers(parts: CommandParts): CommandHandlers<typeof keepAliveCommands> {
  const { sessions } = parts;

  const verdict = (nodeId: NodeId): string => {
    const session = sessions.get(nodeId);
    const sight = sessions.sight(nodeId);
    if (session !== undefined) {
      const near = session.nearChecks > 0 ? `; in sight without it for ${session.nearChecks} checks` : '';
      return `kept by a session${near}`;
    }
    if (!parts.canCheck()) return 'cannot be checked while the plugin routing is off';
    if (sight === undefined) return 'not checked yet';
    if (sight.way !== undefined) return `needs no session: ${sight.way}`;
    if (sight.absentChecks < ABSENT_CHECKS) return `out of sight, waiting for ${ABSENT_CHECKS} checks in a row`;
    if (sight.failures === 0) return 'out of sight, and no room for a session';
    const waitS = Math.max(0, Math.round((sight.retryAtMs - parts.nowMs()) / 1_000));
    return `out of sight, and none of its N+10 could be reached; next attempt in ${waitS} s`;
  };

  const member = ({ nodeId, reason }: Need) => {
    const connection = parts.network.connectionsOf(nodeId).at(-1)?.kind ?? 'none';
    return { node_id: nodeId, connection, reason };
  };

  return {
    layers: async () => {
      const needs = parts.needs();
      return {
        mesh: parts.network
          .connections()
          .filter(({ kind }) => kind === 'mesh')
          .map(({ peer }) => ({ node_id: peer.nodeId, connection: 'mesh' })),
        social: needs.filter(({ reason }) => reason !== 'file').map(member),
        file: needs.filter(({ reason }) => reason === 'file').map(member),
      };
    },
    'keepalive.explain': async (params) => {
      const wanted = params.node_id === undefined ? undefined : readNodeId(params.node_id);
      const needs = parts.needs().filter(({ nodeId }) => wanted === undefined || nodeId === wanted);
      if (wanted !== undefined && needs.length === 0) throw keepAliveErrors.make('not-needed', { node_id: wanted });
      return {
        contacts: needs.slice(0, LISTED_MAX).map(({ nodeId, reason }) => {
          const host = sessions.get(nodeId)?.host;
          const sight = sessions.sight(nodeId);
          return {
            node_id: nodeId,
            reason,
            verdict: verdict(nodeId),
            absent_checks: sight?.absentChecks ?? 0,
            ...(host === undefined ? {} : { host }),
            tries: [...(sight?.tries ?? [])],
          };
        }),
        sessions: sessions.count(),
        sessions_max: parts.max,
      };
    },
  };
}
