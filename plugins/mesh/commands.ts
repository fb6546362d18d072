import { defineCommand, isHexId, Type } from '../../kernel/index.ts';
import type { CommandHandlers, NodeId, PeerId } from '../../kernel/index.ts';
import type { AddressBook } from './address-book.ts';
import { parseConnectString } from './connect-string.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import { Attempt, NodeHistory } from './history.ts';
import type { History } from './history.ts';
import type { KnowledgeView } from './knowledge/contract.ts';
import { ReachBadge, reachBadge } from './knowledge/commands.ts';
import type { Link, Links } from './links.ts';
import type { Redial } from './redial.ts';
import { Resolution } from './resolve/history.ts';
import type { Sections } from './sections.ts';
import type { Slots } from './slots/slots.ts';

const NodeIdParam = Type.String({ description: 'Node id, 64 hex characters' });

const PeerView = Type.Object({
  node_id: Type.String(),
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
  display_name: Type.Optional(Type.String()),
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

export const meshCommands = {
  'peer.connect': defineCommand({
    about: 'Connect to another node and remember it',
    params: Type.Object({ target: Type.String({ description: '<node id>@<host>:<port>[,<host>:<port>]' }) }),
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
      /** Searches by id, the latest last, with each step of the cascade. */
      resolutions: Type.Array(Resolution),
      next_attempt_ms: Type.Optional(Type.Integer()),
      last_exchange: Type.Optional(NodeHistory.properties.last_exchange),
      last_close: Type.Optional(NodeHistory.properties.last_close),
    }),
    positional: ['node_id'],
  }),
};

interface CommandParts {
  readonly links: Links;
  readonly book: AddressBook;
  readonly redial: Redial;
  readonly history: History;
  readonly sections: Sections;
  readonly slots: Slots;
  readonly knowledge: KnowledgeView;
  resolutions(nodeId: NodeId): readonly Resolution[];
  connectAndRemember(target: string, signal: AbortSignal): Promise<Link>;
}

export function meshCommandHandlers(mesh: MeshContext, parts: CommandParts): CommandHandlers<typeof meshCommands> {
  const { links, book, redial, history, sections } = parts;
  const { network } = mesh;

  const viewPeer = (link: Link) => {
    const connection = network.connection(link.connectionId);
    if (connection === undefined) return undefined;
    const display_name = sections.label(link.nodeId as NodeId);
    return {
      node_id: link.nodeId,
      device_id: link.deviceId,
      kind: connection.kind,
      slot: parts.slots.kindOf(link),
      reach: reachBadge(parts.knowledge, link.nodeId as NodeId, parts.slots.slotOf(link.nodeId as NodeId)),
      remote_addr: connection.remoteAddr,
      connected_at_ms: connection.connectedAtMs,
      last_activity_ms: connection.lastActivityMs,
      direction: link.direction,
      features: [...link.features],
      ...(display_name === undefined ? {} : { display_name }),
    };
  };

  const viewConnections = (nodeId: NodeId) =>
    network.connectionsOf(nodeId).map((connection) => {
      const link = links.get(connection.id);
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
        exchange: link?.state ?? 'none',
        protocol: link?.protocol ?? 0,
        sees_us_at: link?.observedAddr ?? '',
        features: [...(link?.features ?? [])],
      };
    });

  const verdict = (nodeId: NodeId): string => {
    if (links.readyOf(nodeId).length > 0) return 'connected';
    if (network.connectionsOf(nodeId).length > 0) return 'connected, the first exchange is not finished';
    const known = book.get(nodeId);
    if (known === undefined) return 'not connected: nobody asked to remember it';
    if (known.heldOff) return 'not connected: you disconnected it';
    if (!known.connectedByUser && !known.keptReachable)
      return 'not connected: seen before, but nobody asked to redial it';
    if (known.addresses.length === 0) return 'not connected: no address is known';
    const plan = redial.plan(nodeId);
    if (plan === undefined) return 'not connected: too many nodes are being redialled';
    return `not connected: redialling after ${plan.failures} failures (${plan.rule})`;
  };

  return {
    'peer.connect': async ({ target }, call) => {
      call.progress('dialling');
      const view = viewPeer(await parts.connectAndRemember(target, call.signal));
      if (view === undefined) throw meshErrors.make('exchange-failed', { reason: 'the connection ended at once' });
      return view;
    },
    'peer.list': () => ({ peers: links.ready().flatMap((link) => viewPeer(link) ?? []) }),
    'peer.disconnect': (params) => {
      const nodeId = readNodeId(params.node_id);
      const connections = network.connectionsOf(nodeId);
      if (connections.length === 0 && redial.plan(nodeId) === undefined) {
        throw meshErrors.make('not-a-peer', { node_id: nodeId });
      }
      book.holdOff(nodeId);
      redial.cancel(nodeId);
      for (const connection of connections) network.close(connection.id, 'user-request');
      return { closed: connections.length };
    },
    'peer.explain': (params) => {
      const nodeId = readNodeId(params.node_id);
      const known = book.get(nodeId);
      const past = history.get(nodeId);
      const connections = viewConnections(nodeId);
      const resolutions = parts.resolutions(nodeId);
      if (known === undefined && past === undefined && connections.length + resolutions.length === 0) {
        throw meshErrors.make('unknown-peer', { node_id: nodeId });
      }
      const display_name = sections.label(nodeId);
      const plan = connections.length === 0 ? redial.plan(nodeId) : undefined;
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

/** @throws mesh/bad-node-id */
export function readNodeId(text: string): NodeId {
  const nodeId = text.trim().toLowerCase();
  if (!isHexId(nodeId)) throw meshErrors.make('bad-node-id', { text: text.slice(0, 80) });
  return nodeId as NodeId;
}

/** @throws mesh/bad-connect-string, mesh/own-node */
export function readTarget(target: string, self: PeerId): ReturnType<typeof parseConnectString> {
  const parsed = parseConnectString(target);
  if (parsed.nodeId === self.nodeId) throw meshErrors.make('own-node');
  return parsed;
}
