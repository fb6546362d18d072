import { defineCommand, idParam, readNodeId, Type } from '../../kernel/index.ts';
import type { CommandHandlers, NodeId } from '../../kernel/index.ts';
import type { MeshContext } from './context.ts';
import type { GrowthLoop } from './growth/growth-loop.ts';
import type { Growth } from './growth/growth.ts';
import type { PreferenceAgreements } from './prefer/preference-agreements.ts';
import type { PreferredPeers } from './prefer/preferred-peers.ts';
import type { Rebalance } from './rebalance/rebalance.ts';
import type { Blacklist } from './slots/blacklist.ts';
import type { Slots } from './slots/slots.ts';
import { summarize } from './rebalance/summary.ts';

const CANDIDATES_SHOWN = 10;
const NodeIdParam = idParam(['node'], 'Node id');
const Ids = Type.Array(Type.String());

export const meshCommands = {
  'growth.explain': defineCommand({
    about: 'Say why the mesh grows at this moment or does not, and whom it would try next',
    params: Type.Object({}),
    result: Type.Object({
      /** In words. */
      verdict: Type.String(),
      used: Type.Integer(),
      slots: Type.Integer(),
      /** Below it each list that comes makes the mesh grow, above it only the timer does. */
      reactive_below: Type.Integer(),
      /** Slots to fill now; 0 when there is no reason to grow. */
      target: Type.Integer(),
      trying: Type.Array(Type.Object({ node_id: Type.String(), why: Type.String(), score: Type.Number() })),
      leads: Type.Integer(),
      failures: Type.Integer(),
      refusals: Type.Integer(),
      skipped: Type.Integer(),
      blamed_reporters: Type.Integer(),
      candidates: Type.Array(
        Type.Object({
          node_id: Type.String(),
          score: Type.Number(),
          reporters: Type.Integer(),
          in_n3: Type.Boolean(),
        }),
      ),
      /** The latest attempts, the last first. */
      tried: Type.Array(
        Type.Object({
          at_ms: Type.Integer(),
          node_id: Type.String(),
          why: Type.String(),
          /** `joined`, `refused` (no slot for us) or `unreachable`. */
          outcome: Type.String(),
          reason: Type.String(),
          took_ms: Type.Integer(),
        }),
      ),
    }),
  }),
  'rebalance.now': defineCommand({
    about: 'Clean up the mesh, bring lost peers back and let it grow, as happens every ten minutes',
    params: Type.Object({}),
    result: Type.Object({
      steps: Type.Array(
        Type.Object({ do: Type.String(), node_id: Type.Optional(Type.String()), reason: Type.Optional(Type.String()) }),
      ),
      /** In words. */
      summary: Type.String(),
    }),
  }),
  'mesh.slots': defineCommand({
    about: 'Show how the mesh slots are used, and which connections hold none',
    params: Type.Object({}),
    result: Type.Object({
      held: Type.Integer(),
      reserved: Type.Integer(),
      limit: Type.Integer(),
      preferred: Ids,
      /** How many of them hold a slot now. */
      preferred_held: Type.Integer(),
      preferred_limit: Type.Integer(),
      /** Mesh slots that hold other peers. */
      other_held: Type.Integer(),
      /** This node and its preferred peers, as it tells others. */
      nplus10: Ids,
      /** Node ids by the kind of their connection: mesh, keep-alive, lan, session, ephemeral. */
      connections: Type.Record(Type.String(), Ids),
    }),
  }),
  'mesh.unprefer': defineCommand({
    about: 'End the agreement with a preferred peer',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({}),
    positional: ['node_id'],
  }),
  'mesh.blacklist': defineCommand({
    about: 'List the nodes that get no mesh slot',
    params: Type.Object({}),
    result: Type.Object({ nodes: Ids }),
  }),
  'mesh.blacklist-add': defineCommand({
    about: 'Give a node no mesh slot from now on; sessions with it stay possible',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({}),
    positional: ['node_id'],
  }),
  'mesh.blacklist-remove': defineCommand({
    about: 'Take a node off the mesh blacklist',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({ removed: Type.Boolean() }),
    positional: ['node_id'],
  }),
};

interface MeshCommandParts {
  readonly slots: Slots;
  readonly growth: Growth;
  readonly loop: GrowthLoop;
  readonly rebalance: Rebalance;
  readonly preferred: PreferredPeers;
  readonly agreements: PreferenceAgreements;
  readonly blacklist: Blacklist;
}

export function meshCommandHandlers(
  { ctx, network }: MeshContext,
  { slots, growth, loop, rebalance, preferred, agreements, blacklist }: MeshCommandParts,
): CommandHandlers<typeof meshCommands> {
  return {
    'growth.explain': () => ({
      ...growth.explain(CANDIDATES_SHOWN),
      ...(ctx.config.growth ? {} : { verdict: 'switched off by config mesh.growth' }),
      tried: loop.tried().map(({ atMs, nodeId, why, outcome, reason, tookMs }) => ({
        at_ms: atMs,
        node_id: nodeId,
        why,
        outcome,
        reason,
        took_ms: tookMs,
      })),
    }),
    'rebalance.now': () => {
      const steps = rebalance.run('command');
      return {
        steps: steps.map((step) => ({
          do: step.do,
          ...('nodeId' in step ? { node_id: step.nodeId as string } : {}),
          ...('reason' in step ? { reason: step.reason as string } : {}),
        })),
        summary: summarize(steps),
      };
    },
    'mesh.slots': () => {
      const { held, reserved, limit, preferred: preferredHeld, preferredLimit } = slots.counts();
      const connections: Record<string, string[]> = {};
      for (const { kind, peer } of network.connections()) {
        connections[kind] = [...(connections[kind] ?? []), peer.nodeId];
      }
      return {
        held,
        reserved,
        limit,
        preferred: preferred.all().map(({ nodeId }) => nodeId as string),
        preferred_held: preferredHeld,
        preferred_limit: preferredLimit,
        other_held: held - preferredHeld,
        nplus10: agreements.nplus10(),
        connections,
      };
    },
    'mesh.unprefer': async ({ node_id }) => {
      await agreements.cancel(readNodeId(node_id), 'user-request');
      await ctx.db.synced();
      return {};
    },
    'mesh.blacklist': () => ({ nodes: [...blacklist.all()] }),
    'mesh.blacklist-add': async ({ node_id }) => {
      const nodeId: NodeId = readNodeId(node_id);
      blacklist.add(nodeId);
      await agreements.cancel(nodeId, 'not-willing');
      for (const { id, kind } of network.connectionsOf(nodeId)) if (kind === 'mesh') network.close(id, 'done');
      await ctx.db.synced();
      return {};
    },
    'mesh.blacklist-remove': async ({ node_id }) => {
      const removed = blacklist.remove(readNodeId(node_id));
      await ctx.db.synced();
      return { removed };
    },
  };
}
