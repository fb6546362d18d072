import {
  bind,
  connectionClosed,
  contribute,
  contributionsChanged,
  definePlugin,
  readNodeId,
} from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { ConnectedPeers, extensionFeature, HANDSHAKE, PEER_FACTS, peerReady } from '../peers/api.ts';
import type { ReachBadge } from '../peers/api.ts';
import { N1_SHARE, ROUTING } from './api.ts';
import { describeReach, routingCommands } from './commands.ts';
import { routingNeeds } from './context.ts';
import { nodeListUpdate, PACKED_IDS } from './messages.ts';
import { ROUTES_EXTENSION, RoutingState, RoutingTable } from './routing-table.ts';
import { NetworkPeers } from './routing-peers.ts';
import { routingUi } from './ui.ts';

export default definePlugin({
  name: 'routing',
  version: '1.0.0',
  kernel: '^1',
  about: 'What lies within three hops: N1, N2 and N3, shared as lists of ids',
  inject: routingNeeds,
  provides: [ROUTING],
  points: [N1_SHARE],
  features: [PACKED_IDS, extensionFeature(ROUTES_EXTENSION)],
  messages: { nodeListUpdate },
  commands: routingCommands,
  state: RoutingState,
  setup(ctx) {
    const { network } = ctx.deps;
    const routing = { ctx, network };
    const present = () => ctx.deps.peers.ask((service) => service.peers(), []);
    const connected = new NetworkPeers(network, new ConnectedPeers({ ctx, network, present }));
    const table = new RoutingTable(routing, connected);
    const badge = (nodeId: NodeId): ReachBadge =>
      network.connectionsOf(nodeId).some(({ kind }) => kind === 'mesh') ? 'mesh' : table.layerOf(nodeId);

    ctx.on(peerReady, ({ peer }) => table.joined(peer));
    ctx.on(connectionClosed, ({ peer }) => {
      if (!connected.hasDevice(peer)) table.left(peer);
    });
    ctx.on(contributionsChanged, ({ point }) => {
      if (point === N1_SHARE.name) table.n1Changed();
    });

    return {
      services: [bind(ROUTING, table)],
      contributes: [
        ...routingUi,
        contribute(HANDSHAKE, table.extension, { name: ROUTES_EXTENSION }),
        contribute(PEER_FACTS, { facts: (nodeId) => ({ reach: badge(nodeId) }) }),
      ],
      commands: {
        'peer.reach': ({ node_id }) => {
          const nodeId = readNodeId(node_id);
          return describeReach(table, nodeId, badge(nodeId));
        },
      },
      handlers: { nodeListUpdate: (lists, call) => table.receive(lists, call) },
      loops: table.loops,
      activate: () => {
        for (const peer of table.reporters()) if (!connected.hasDevice(peer)) table.left(peer);
      },
      snapshot: () => table.snapshot(),
      restore: (state) => table.restore(state),
      diagnostics: () => ({ status: table.sizes(), knowledge: table.diagnostics() }),
    };
  },
});
