import { defineCommand, idParam, readNodeId, Type } from '../../kernel/index.ts';
import type { CommandHandlers, NodeId } from '../../kernel/index.ts';
import { PEER_FACTS, ReachBadge } from './api.ts';
import { SearchRecord } from './answers.ts';
import type { PeerFacts, PeersService } from './api.ts';
import type { PeersContext } from './context.ts';
import { peersErrors } from './errors.ts';
import { Attempt, NodeHistory } from './history.ts';
import type { History } from './history.ts';
import type { PeerStore } from './peer-store.ts';
import type { ReconnectQueue } from './reconnect-queue.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';

const NodeIdParam = idParam(['node'], 'Node id');

const PeerView = Type.Object({
  node_id: Type.String(),
  display_name: Type.Optional(Type.String()),
  device_id: Type.String(),
  kind: Type.String(),
  /** `preferred`, `non-preferred` or `none`. */
  slot: Type.String(),
  /** What `peer reach` says of it. */
  reach: ReachBadge,
  remote_addr: Type.String(),
  connected_at_ms: Type.Integer(),
  last_activity_ms: Type.Integer(),
  direction: Type.String(),
  features: Type.Array(Type.String()),
});

const ConnectionView = Type.Object({
  connection_id: Type.Integer(),
  device_id: Type.String(),
  direction: Type.String(),
  kind: Type.String(),
  remote_addr: Type.String(),
  connected_at_ms: Type.Integer(),
  last_activity_ms: Type.Integer(),
  bytes_in: Type.Integer(),
  bytes_out: Type.Integer(),
  rtt_ms: Type.Optional(Type.Number()),
  exchange: Type.String(),
  protocol: Type.Integer(),
  sees_us_at: Type.String(),
  features: Type.Array(Type.String()),
});

export const peersCommands = {
  'peer.connect': defineCommand({
    about: 'Connect to another node and remember it',
    restart: true,
    params: Type.Object({
      target: idParam(['node'], '<node id>@<host>:<port>[,<host>:<port>], or the node id of one to be looked for'),
    }),
    result: PeerView,
    positional: ['target'],
    text: (peer) => `Connected to ${peer.display_name ?? peer.node_id} at ${peer.remote_addr}`,
  }),
  'peer.list': defineCommand({
    about: 'List the connected peers',
    params: Type.Object({}),
    result: Type.Object({ peers: Type.Array(PeerView) }),
  }),
  'peer.disconnect': defineCommand({
    about: 'Close the connection to a node and leave it alone until you connect again',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({ closed: Type.Integer() }),
    positional: ['node_id'],
  }),
  'peer.explain': defineCommand({
    about: 'Say what is known of a node, and why it is connected or not',
    params: Type.Object({ node_id: NodeIdParam }),
    result: Type.Object({
      node_id: Type.String(),
      display_name: Type.Optional(Type.String()),
      /** The rule that decides at this moment, in words. */
      verdict: Type.String(),
      addresses: Type.Array(Type.String()),
      nat_type: Type.String(),
      last_seen_ms: Type.Optional(Type.Integer()),
      connected_by_user: Type.Boolean(),
      kept_reachable: Type.Boolean(),
      held_off: Type.Boolean(),
      connections: Type.Array(ConnectionView),
      attempts: Type.Array(Attempt),
      /** Searches by id, the latest last, with each step. */
      resolutions: Type.Array(SearchRecord),
      next_attempt_ms: Type.Optional(Type.Integer()),
      last_exchange: Type.Optional(NodeHistory.properties.last_exchange),
      last_close: Type.Optional(NodeHistory.properties.last_close),
    }),
    positional: ['node_id'],
  }),
};

interface CommandParts {
  readonly sessions: PeerSessions;
  readonly store: PeerStore;
  readonly reconnect: ReconnectQueue;
  readonly history: History;
  readonly service: Pick<PeersService, 'connectAndRemember'>;
}

export function peersCommandHandlers(
  { ctx, network }: PeersContext,
  parts: CommandParts,
): CommandHandlers<typeof peersCommands> {
  const { sessions, store, reconnect, history } = parts;

  const factsOf = (nodeId: NodeId): PeerFacts => {
    const known = ctx.contributions(PEER_FACTS).map((source) => source.ask((facts) => facts.facts(nodeId), {}));
    return Object.assign({}, ...known);
  };

  const searchesOf = (nodeId: NodeId): readonly SearchRecord[] =>
    ctx.contributions(PEER_FACTS).flatMap((source) => source.ask((facts) => facts.searches?.(nodeId) ?? [], []));

  const viewPeer = (session: PeerSession) => {
    const connection = network.connection(session.connectionId);
    if (connection === undefined) return undefined;
    const { slot = 'none', reach = 'none', display_name } = factsOf(session.nodeId);
    return {
      node_id: session.nodeId,
      ...(display_name === undefined ? {} : { display_name }),
      device_id: session.deviceId,
      kind: connection.kind,
      // Of several connections of a node one holds its slot.
      slot: connection.kind === 'mesh' ? slot : 'none',
      reach,
      remote_addr: connection.remoteAddr,
      connected_at_ms: connection.connectedAtMs,
      last_activity_ms: connection.lastActivityMs,
      direction: session.direction,
      features: [...session.features],
    };
  };

  const viewConnections = (nodeId: NodeId) =>
    network.connectionsOf(nodeId).map((connection) => {
      const session = sessions.get(connection.id);
      return {
        connection_id: connection.id,
        device_id: connection.peer.deviceId,
        direction: connection.direction,
        kind: connection.kind,
        remote_addr: connection.remoteAddr,
        connected_at_ms: connection.connectedAtMs,
        last_activity_ms: connection.lastActivityMs,
        bytes_in: connection.bytesIn,
        bytes_out: connection.bytesOut,
        ...(connection.rttMs === undefined ? {} : { rtt_ms: connection.rttMs }),
        exchange: session?.state ?? 'none',
        protocol: session?.protocol ?? 0,
        sees_us_at: session?.observedAddr ?? '',
        features: [...(session?.features ?? [])],
      };
    });

  const verdict = (nodeId: NodeId): string => {
    if (sessions.readyOf(nodeId).length > 0) return 'connected';
    if (network.connectionsOf(nodeId).length > 0) return 'connected, the handshake is not finished';
    const known = store.get(nodeId);
    if (known === undefined) return 'not connected: nobody asked to remember it';
    if (known.heldOff) return 'not connected: you disconnected it';
    if (!known.connectedByUser && !known.keptReachable)
      return 'not connected: seen before, but nobody asked to redial it';
    if (known.addresses.length === 0) return 'not connected: no address is known';
    const plan = reconnect.plan(nodeId);
    if (plan === undefined) return 'not connected: too many nodes are being redialled';
    return `not connected: redialling after ${plan.failures} failures (${plan.rule})`;
  };

  return {
    'peer.connect': async ({ target }, call) => {
      call.progress(target.includes('@') ? 'dialling' : 'looking for it');
      const { connectionId } = await parts.service.connectAndRemember(target, { signal: call.signal });
      const session = sessions.get(connectionId);
      const view = session && viewPeer(session);
      if (view === undefined) throw peersErrors.make('exchange-failed', { reason: 'the connection ended at once' });
      return view;
    },
    'peer.list': () => ({ peers: sessions.ready().flatMap((session) => viewPeer(session) ?? []) }),
    'peer.disconnect': async (params) => {
      const nodeId = readNodeId(params.node_id);
      const connections = network.connectionsOf(nodeId);
      if (connections.length === 0 && reconnect.plan(nodeId) === undefined) {
        throw peersErrors.make('not-a-peer', { node_id: nodeId });
      }
      store.holdOff(nodeId);
      reconnect.cancel(nodeId);
      for (const connection of connections) network.close(connection.id, 'user-request');
      await ctx.db.synced();
      return { closed: connections.length };
    },
    'peer.explain': (params) => {
      const nodeId = readNodeId(params.node_id);
      const known = store.get(nodeId);
      const past = history.get(nodeId);
      const connections = viewConnections(nodeId);
      const resolutions = searchesOf(nodeId);
      if (known === undefined && past === undefined && connections.length + resolutions.length === 0) {
        throw peersErrors.make('unknown-peer', { node_id: nodeId });
      }
      const { display_name } = factsOf(nodeId);
      const plan = connections.length === 0 ? reconnect.plan(nodeId) : undefined;
      return {
        node_id: nodeId,
        ...(display_name === undefined ? {} : { display_name }),
        verdict: verdict(nodeId),
        addresses: [...(known?.addresses ?? [])],
        nat_type: known?.natType ?? 'unknown',
        ...(known === undefined || known.lastSeenMs === 0 ? {} : { last_seen_ms: known.lastSeenMs }),
        connected_by_user: known?.connectedByUser ?? false,
        kept_reachable: known?.keptReachable ?? false,
        held_off: known?.heldOff ?? false,
        connections,
        attempts: [...(past?.attempts ?? [])],
        resolutions: [...resolutions],
        ...(plan === undefined ? {} : { next_attempt_ms: plan.nextAtMs }),
        ...(past?.last_exchange === undefined ? {} : { last_exchange: past.last_exchange }),
        ...(past?.last_close === undefined ? {} : { last_close: past.last_close }),
      };
    },
  };
}
