import { bind, connectionClosed, connectionOpened, definePlugin, featuresChanged, Type } from '../../kernel/index.ts';
import { MESH, meshReady, sectionFeature } from './api.ts';
import { assembleMesh } from './assemble.ts';
import { meshCommandHandlers, meshCommands, readNodeId } from './commands.ts';
import { MeshConfig } from './config.ts';
import { meshNeeds } from './context.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import { GrowthState } from './growth/growth.ts';
import { NodeHistory } from './history.ts';
import { describeReach, knowledgeCommands } from './knowledge/commands.ts';
import { KnowledgeState, ROUTES_SECTION } from './knowledge/knowledge.ts';
import { nodeListUpdate, PACKED_IDS } from './knowledge/messages.ts';
import { Link } from './links.ts';
import { slotCommandHandlers, slotCommands } from './mesh-commands.ts';
import {
  featuresNotice,
  initialExchange,
  meshKeepalive,
  refuseRedirect,
  sectionsNotice,
  slotHandover,
} from './messages.ts';
import { peersTable } from './migrations/0001-peers.ts';
import { meshMembers } from './migrations/0002-mesh-members.ts';
import { OwnState } from './own-side.ts';
import { meshPrefer, nplus10Notice } from './prefer/messages.ts';
import { DroppedState } from './rebalance/rebalance.ts';
import { Plan } from './redial.ts';
import { DialCounts } from './dial-budget.ts';
import { addressRequest } from './resolve/messages.ts';
import { meshService } from './service.ts';
import { meshUi } from './ui.ts';

/** Must outlast the asking side: its deadline of 10 s, and a swap between two attempts. */
const EXCHANGE_WAIT_MS = 20_000;
/** GROWTH_LOOP_TIMER (CYC-04). */
const GROWTH_EVERY_MS = 60_000;
/** How often the mesh is put in order (CYC-03). */
const REBALANCE_EVERY_MS = 600_000;

const State = Type.Object({
  own: OwnState,
  links: Type.Array(Link),
  plans: Type.Array(Plan),
  history: Type.Record(Type.String(), NodeHistory),
  knowledge: KnowledgeState,
  growth: GrowthState,
  dropped: Type.Array(DroppedState),
  handovers: Type.Array(Type.Number()),
  dials: DialCounts,
  upSinceMs: Type.Number(),
});

export default definePlugin({
  name: 'mesh',
  version: '1.0.0',
  kernel: '^1',
  about: 'Connections as peers: first exchange, mesh slots, growth, what lies within three hops',
  config: MeshConfig,
  inject: meshNeeds,
  provides: [MESH],
  features: [PACKED_IDS, sectionFeature(ROUTES_SECTION)],
  messages: {
    initialExchange,
    meshKeepalive,
    featuresNotice,
    sectionsNotice,
    nodeListUpdate,
    addressRequest,
    refuseRedirect,
    meshPrefer,
    nplus10Notice,
    slotHandover,
  },
  commands: { ...meshCommands, ...knowledgeCommands, ...slotCommands },
  migrations: [peersTable, meshMembers],
  state: State,
  setup(ctx) {
    const { network } = ctx.deps;
    const mesh: MeshContext = { ctx, network };
    const parts = assembleMesh(mesh);
    const { links, history, redial, announcements, exchange, knowledge, slots, preference, growth, rebalance } = parts;
    let restored = false;

    ctx.on(connectionOpened, (connection) => {
      if (network.connection(connection.id) === undefined) return;
      const link = parts.linkOf(connection);
      if (connection.direction === 'outbound' && link.state === 'waiting') {
        mesh.ctx.background('exchange', exchange.ask(link));
      }
    });
    ctx.on(connectionClosed, ({ id, reason, byPeer }) => parts.ended(id, reason, byPeer));
    ctx.on(featuresChanged, () => announcements.catchUp());

    /** A frame of a connection that ended while it waited for us has no link any more. */
    const liveLink = (connectionId: number): Link | undefined => {
      const connection = network.connection(connectionId);
      return connection === undefined ? undefined : parts.linkOf(connection);
    };

    return {
      contributes: meshUi,
      services: [bind(MESH, meshService(mesh, { ...parts, offerStep: (step) => parts.cascade.offer(step) }))],
      commands: {
        ...meshCommandHandlers(mesh, { ...parts, resolutions: (nodeId) => parts.cascade.history.get(nodeId) }),
        ...slotCommandHandlers(mesh, parts),
        'peer.reach': ({ node_id }) => {
          const nodeId = readNodeId(node_id);
          return describeReach(knowledge, nodeId, slots.slotOf(nodeId));
        },
      },
      handlers: {
        initialExchange: (body, call) => {
          const link = liveLink(call.connectionId);
          if (link === undefined) throw meshErrors.make('exchange-failed', { reason: 'the connection has ended' });
          return exchange.answer(link, body, call);
        },
        meshKeepalive: () => {
          ctx.counters.add('keepalives-received');
        },
        featuresNotice: ({ features, revision }, call) => {
          const link = links.get(call.connectionId);
          if (link !== undefined) announcements.receiveFeatures(link, features, revision);
        },
        sectionsNotice: async (body, call) => {
          // They may overtake the answer to our exchange, but a peer that owes us its own is not heard.
          const link = links.get(call.connectionId);
          if (link === undefined || link.state === 'waiting') ctx.counters.add('sections-before-exchange');
          else await parts.sections.receive(call.peer, body.sections);
        },
        nodeListUpdate: (lists, call) => knowledge.receive(lists, call),
        addressRequest: (question, call) => parts.addresses.answer(question, call),
        refuseRedirect: (body, call) => parts.redirects.receive(links.get(call.connectionId), body),
        slotHandover: (question, call) => parts.handover.answer(question, call),
        meshPrefer: (question, call) => preference.answer(question, call),
        nplus10Notice: ({ nplus10 }, call) => preference.heard(links.get(call.connectionId), nplus10),
      },
      loops: {
        ...knowledge.loops,
        'keep-alive': { everyMs: 1_000, run: () => announcements.keepAlive() },
        growth: { everyMs: GROWTH_EVERY_MS, run: () => parts.grow() },
        rebalance: { everyMs: REBALANCE_EVERY_MS, jitter: 0, run: () => void rebalance.run('timer') },
        // Whoever owes us its exchange.
        'exchange-limit': {
          everyMs: 5_000,
          run: () => {
            const since = ctx.clock.now() - EXCHANGE_WAIT_MS;
            for (const link of links.all()) {
              if (link.state === 'waiting' && link.openedAtMs < since) exchange.expire(link);
            }
          },
        },
        watch: {
          everyMs: 15_000,
          run: () => {
            const now = ctx.clock.now();
            announcements.catchUp();
            slots.reconcile();
            for (const link of links.all()) {
              const activeAtMs = network.lastActivityMsOf(link.connectionId);
              if (activeAtMs === undefined) parts.ended(link.connectionId, 'connection-missing', false);
              else if (now - activeAtMs > ctx.config.zombieMs) {
                ctx.counters.add('zombies-closed');
                network.close(link.connectionId, 'zombie');
              }
            }
          },
        },
      },
      activate: () => {
        // Connections outlive generations: some ended, came or stopped half-way between the two.
        for (const link of links.all()) {
          if (network.connection(link.connectionId) === undefined) {
            parts.ended(link.connectionId, 'ended-during-swap', false);
          }
        }
        for (const connection of network.connections()) {
          const link = parts.linkOf(connection);
          if (link.state !== 'ready') mesh.ctx.background('exchange', exchange.ask(link));
        }
        slots.fitLimit();
        ctx.emit(meshReady, {});
        announcements.catchUp();
        parts.returnAll(!restored);
        redial.start();
      },
      snapshot: () => ({
        own: parts.own.state,
        links: [...links.all()],
        plans: redial.plans(),
        history: history.snapshot(),
        knowledge: knowledge.snapshot(),
        growth: growth.snapshot(),
        dropped: rebalance.snapshot(),
        handovers: parts.handover.snapshot(),
        dials: parts.budget.snapshot(),
        upSinceMs: parts.up.sinceMs,
      }),
      restore: (state) => {
        restored = true;
        parts.own.restore(state.own);
        // Exchanges end with their generation, and what was kept free for them.
        for (const link of state.links) links.add({ ...link, slotReserved: false });
        redial.restore(state.plans);
        history.restore(state.history);
        knowledge.restore(state.knowledge);
        growth.restore(state.growth);
        rebalance.restore(state.dropped);
        parts.handover.restore(state.handovers);
        parts.budget.restore(state.dials);
        parts.up.sinceMs = state.upSinceMs;
      },
      diagnostics: () => ({
        status: { mesh_slots: slots.heldCount, ...knowledge.sizes() },
        peers: links.ready().length,
        exchanging: links.size - links.ready().length,
        known: parts.book.count(),
        redial: redial.plans().length,
        dialling: parts.connector.dialling,
        growing: growth.trying,
        slots: slots.counts(),
        nplus10: preference.nplus10(),
        knowledge: knowledge.diagnostics(),
        sections: parts.sections.names(),
        observed_addrs: [...new Set(links.ready().map((link) => link.observedAddr))].slice(0, 8),
      }),
    };
  },
});
