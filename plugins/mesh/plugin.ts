import { bind, codeOf, connectionClosed, contribute, definePlugin, Type } from '../../kernel/index.ts';
import { PEER_FACTS, peerGone, SLOT_POLICY } from '../peers/api.ts';
import { listsTaken } from '../routing/api.ts';
import { MESH } from './api.ts';
import { meshCommandHandlers, meshCommands } from './commands.ts';
import { MeshConfig } from './config.ts';
import { meshNeeds } from './context.ts';
import { GrowthState } from './growth/growth.ts';
import { refuseRedirect, slotHandover } from './messages.ts';
import { peersTable } from './migrations/0001-peers.ts';
import { meshMembers } from './migrations/0002-mesh-members.ts';
import * as part from './parts.ts';
import { meshPrefer, nplus10Notice } from './prefer/messages.ts';
import { DroppedState } from './rebalance/rebalance.ts';
import { MeshSession } from './sessions.ts';
import { Reservation } from './slots/slots.ts';
import { meshUi } from './ui.ts';

/** GROWTH_LOOP_TIMER (CYC-04). */
const GROWTH_EVERY_MS = 60_000;
/** How often the mesh is put in order (CYC-03). */
const REBALANCE_EVERY_MS = 600_000;
/** Sessions of remembered nodes ask for a slot again this long after they were refused. */
const ASK_AGAIN_MS = 5 * 60_000;

const State = Type.Object({
  sessions: Type.Array(MeshSession),
  reservations: Type.Array(Reservation),
  growth: GrowthState,
  dropped: Type.Array(DroppedState),
  transfers: Type.Array(Type.Number()),
  upSinceMs: Type.Number(),
});

export default definePlugin({
  name: 'mesh',
  version: '1.0.0',
  kernel: '^1',
  about: 'Mesh slots: who holds them, growth, rebalance and preferred peers',
  config: MeshConfig,
  inject: meshNeeds,
  provides: [MESH],
  messages: { refuseRedirect, meshPrefer, nplus10Notice, slotHandover },
  commands: meshCommands,
  migrations: [peersTable, meshMembers],
  state: State,
  setup(ctx) {
    const { network } = ctx.deps;
    const [sessions, slots, neighbours] = [ctx.part(part.SESSIONS), ctx.part(part.SLOTS), ctx.part(part.NEIGHBOURS)];
    const [growth, loop, rebalance] = [ctx.part(part.GROWTH), ctx.part(part.GROWTH_LOOP), ctx.part(part.REBALANCE)];
    const [agreements, preferred] = [ctx.part(part.AGREEMENTS), ctx.part(part.PREFERRED)];
    const [transfer, redirects, up] = [ctx.part(part.TRANSFER), ctx.part(part.REDIRECTS), ctx.part(part.UPTIME)];
    let restored = false;

    const ended = (connectionId: number, reason: string): void => {
      const session = sessions.remove(connectionId);
      if (session === undefined) return;
      if (session.holdsSlot) rebalance.lost(session, reason);
      slots.ended(session);
    };

    /** The growth timer (CYC-04). */
    const grow = (): void => {
      const now = ctx.clock.now();
      growth.tick();
      for (const { peer, connectionId, kind } of neighbours.peers()) {
        const { nodeId } = peer;
        if (kind !== 'session' || !neighbours.isRemembered(nodeId)) continue;
        const refusedAtMs = sessions.get(connectionId)?.slotRefusedAtMs ?? 0;
        if (now - refusedAtMs >= ASK_AGAIN_MS) growth.offer({ nodeId, addresses: [], from: nodeId });
      }
      loop.run();
    };

    ctx.on(connectionClosed, ({ id, reason }) => ended(id, reason));
    ctx.on(peerGone, ({ peer }) => preferred.reached(peer.nodeId));
    ctx.on(listsTaken, ({ isNews }) => {
      if (!isNews && !growth.isBackedOff) return;
      growth.learned();
      loop.run();
    });

    return {
      services: [
        bind(MESH, {
          meshPeers: () => [...new Set(slots.held().map(({ nodeId }) => nodeId))],
          slots: () => slots.counts(),
          nplus10: () => agreements.nplus10(),
          nplus10Of: (nodeId) => sessions.ofNode(nodeId)[0]?.nplus10 ?? [],
          offerCandidate: (lead) => {
            const isTaken = growth.offer(lead);
            if (isTaken) loop.run();
            return isTaken;
          },
          requestGrowth: () => {
            growth.request();
            loop.run();
          },
        }),
      ],
      contributes: [
        contribute(SLOT_POLICY, ctx.part(part.POLICY)),
        ...meshUi,
        contribute(PEER_FACTS, { facts: (nodeId) => ({ slot: slots.slotOf(nodeId) }) }),
      ],
      commands: meshCommandHandlers(ctx.part(part.CONTEXT), {
        slots,
        growth,
        loop,
        rebalance,
        preferred,
        agreements,
        blacklist: ctx.part(part.BLACKLIST),
      }),
      handlers: {
        refuseRedirect: (body, call) => redirects.receive(sessions.get(call.connectionId), body),
        slotHandover: (question, call) => transfer.answer(question, call),
        meshPrefer: async (question, call) => {
          const answer = agreements.answer(question, call);
          // The peer counts on what we agreed to.
          if (answer.agreed) await ctx.db.synced();
          return answer;
        },
        nplus10Notice: ({ nplus10 }, call) => agreements.heard(sessions.get(call.connectionId), nplus10),
      },
      loops: {
        growth: { everyMs: GROWTH_EVERY_MS, run: grow },
        rebalance: { everyMs: REBALANCE_EVERY_MS, jitter: 0, run: () => void rebalance.run('timer') },
        watch: {
          everyMs: 15_000,
          run: () => {
            slots.reconcile();
            for (const { connectionId } of [...sessions.values()]) {
              if (network.connection(connectionId) === undefined) ended(connectionId, 'connection-missing');
            }
          },
        },
      },
      activate: () => {
        // Connections outlive generations: some ended or came between the two.
        for (const { connectionId } of [...sessions.values()]) {
          if (network.connection(connectionId) === undefined) ended(connectionId, 'ended-during-swap');
        }
        for (const { id, peer, kind } of network.connections()) if (kind === 'mesh') sessions.of(id, peer, true);
        slots.fitLimit();
        const returning = rebalance.returnPreferred().catch((error) => {
          ctx.counters.add(`return-failed.${codeOf(error)}`);
        });
        ctx.background('return', returning);
        if (!restored) neighbours.returnLeft(slots.limits.mesh);
      },
      snapshot: () => ({
        sessions: [...sessions.values()],
        reservations: [...slots.reservations()],
        growth: growth.snapshot(),
        dropped: rebalance.snapshot(),
        transfers: transfer.snapshot(),
        upSinceMs: up.sinceMs,
      }),
      restore: (state) => {
        restored = true;
        for (const session of state.sessions) sessions.restore(session);
        slots.restore(state.reservations);
        growth.restore(state.growth);
        rebalance.restore(state.dropped);
        transfer.restore(state.transfers);
        up.sinceMs = state.upSinceMs;
      },
      diagnostics: () => ({
        status: { mesh_slots: slots.heldCount },
        growing: growth.trying,
        slots: slots.counts(),
        nplus10: agreements.nplus10(),
      }),
    };
  },
});
