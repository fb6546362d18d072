import {
  bind,
  connectionClosed,
  connectionOpened,
  contribute,
  contributionsChanged,
  definePlugin,
  featuresChanged,
  KNOWN_IDS,
  Type,
} from '../../kernel/index.ts';
import { HANDSHAKE, PEER_FACTS, PEER_FINDER, peerGone, PEERS, SLOT_POLICY } from './api.ts';
import { peersCommandHandlers, peersCommands } from './commands.ts';
import { PeersConfig } from './config.ts';
import { peersNeeds } from './context.ts';
import { DialCounts } from './dial-budget.ts';
import { peersErrors } from './errors.ts';
import { NodeHistory } from './history.ts';
import { TellState } from './local-hello.ts';
import { featuresNotice, initialExchange, meshKeepalive, sectionsNotice } from './messages.ts';
import { peersTable } from './migrations/0001-peers.ts';
import { peerBlocks } from './migrations/0002-peer-blocks.ts';
import * as part from './parts.ts';
import { Plan } from './reconnect-queue.ts';
import { PeerSession, peerOf } from './sessions.ts';
import { peersUi } from './ui.ts';

/** Must outlast the asking side: its deadline of 10 s, and a swap between two attempts. */
const HANDSHAKE_WAIT_MS = 20_000;

const State = Type.Object({
  told: TellState,
  sessions: Type.Array(PeerSession),
  plans: Type.Array(Plan),
  history: Type.Record(Type.String(), NodeHistory),
  dials: DialCounts,
});

export default definePlugin({
  name: 'peers',
  version: '1.0.0',
  kernel: '^1',
  about: 'Connections as peers: handshake, who is remembered and redialled, and the one way to reach a node',
  config: PeersConfig,
  inject: peersNeeds,
  provides: [PEERS],
  points: [HANDSHAKE, SLOT_POLICY, PEER_FINDER, PEER_FACTS],
  messages: { initialExchange, meshKeepalive, featuresNotice, sectionsNotice },
  commands: peersCommands,
  migrations: [peersTable, peerBlocks],
  state: State,
  setup(ctx) {
    const peers = ctx.part(part.CONTEXT);
    const { network } = peers;
    const [sessions, history, store] = [ctx.part(part.SESSIONS), ctx.part(part.HISTORY), ctx.part(part.STORE)];
    const [handshake, push, hello] = [ctx.part(part.HANDSHAKE_PART), ctx.part(part.PUSH), ctx.part(part.HELLO)];
    const [reconnect, budget, service] = [ctx.part(part.RECONNECT), ctx.part(part.BUDGET), ctx.part(part.SERVICE)];

    let restored = false;

    const ended = (connectionId: number, reason: string, byPeer: boolean): void => {
      const session = sessions.remove(connectionId, () =>
        peersErrors.make('exchange-failed', { reason: `connection ended: ${reason}` }),
      );
      if (session === undefined) return;
      const { nodeId } = session;
      const now = ctx.clock.now();
      history.closed(nodeId, now, reason, byPeer);
      if (session.state === 'ready') {
        ctx.counters.add(`peers-gone.${reason}`);
        if (sessions.readyOf(nodeId).length === 0) store.gone(nodeId, now);
        ctx.emit(peerGone, { peer: peerOf(session), connectionId, reason });
      }
      reconnect.closed(session, reason, byPeer);
    };

    /** A frame of a connection that ended while it waited for us has no session any more. */
    const liveSession = (connectionId: number): PeerSession | undefined => {
      const connection = network.connection(connectionId);
      return connection === undefined ? undefined : sessions.of(connection, ctx.clock.now());
    };

    ctx.on(connectionOpened, ({ id, direction }) => {
      const session = liveSession(id);
      if (session !== undefined && direction === 'outbound' && session.state === 'waiting') {
        ctx.background('exchange', handshake.ask(session));
      }
    });
    ctx.on(connectionClosed, ({ id, reason, byPeer }) => ended(id, reason, byPeer));
    ctx.on(featuresChanged, () => push.catchUp());
    ctx.on(contributionsChanged, ({ point }) => {
      if (point === HANDSHAKE.name) push.catchUp();
    });

    return {
      contributes: [
        ...peersUi,
        contribute(KNOWN_IDS, {
          kind: 'node',
          startingWith: (prefix, max) => [
            ...[ctx.self.nodeId].filter((self) => self.startsWith(prefix)),
            ...store.startingWith(prefix, max),
          ],
        }),
      ],
      services: [bind(PEERS, service)],
      commands: peersCommandHandlers(peers, { sessions, store, reconnect, history, service }),
      handlers: {
        initialExchange: (body, call) => {
          const session = liveSession(call.connectionId);
          if (session === undefined) throw peersErrors.make('exchange-failed', { reason: 'the connection has ended' });
          return handshake.answer(session, body, call);
        },
        meshKeepalive: () => {
          ctx.counters.add('keepalives-received');
        },
        featuresNotice: ({ features, revision }, call) => {
          const session = sessions.get(call.connectionId);
          if (session !== undefined) push.receiveFeatures(session, features, revision);
        },
        sectionsNotice: async (body, call) => {
          // They may overtake the answer to our handshake, but a peer that owes us its own is not heard.
          const session = sessions.get(call.connectionId);
          if (session === undefined || session.state === 'waiting') ctx.counters.add('sections-before-exchange');
          else await ctx.part(part.EXTENSIONS).receive(call.peer, body.sections);
        },
      },
      loops: {
        'keep-alive': { everyMs: 1_000, run: () => push.keepAlive() },
        // Whoever owes us its handshake.
        'exchange-limit': {
          everyMs: 5_000,
          run: () => {
            const since = ctx.clock.now() - HANDSHAKE_WAIT_MS;
            for (const session of sessions.all()) {
              if (session.state === 'waiting' && session.openedAtMs < since) handshake.expire(session);
            }
          },
        },
        watch: {
          everyMs: 15_000,
          run: () => {
            const now = ctx.clock.now();
            push.catchUp();
            for (const { connectionId } of sessions.all()) {
              const activeAtMs = network.lastActivityMsOf(connectionId);
              if (activeAtMs === undefined) ended(connectionId, 'connection-missing', false);
              else if (now - activeAtMs > ctx.config.zombieMs) {
                ctx.counters.add('zombies-closed');
                network.close(connectionId, 'zombie');
              }
            }
          },
        },
      },
      activate: () => {
        // Connections outlive generations: some ended, came or stopped half-way between the two.
        for (const { connectionId } of sessions.all()) {
          if (network.connection(connectionId) === undefined) ended(connectionId, 'ended-during-swap', false);
        }
        for (const { id } of network.connections()) {
          const session = liveSession(id);
          if (session !== undefined && session.state !== 'ready') ctx.background('exchange', handshake.ask(session));
        }
        network.keepPlaces((nodeId) => store.isWanted(nodeId), ctx.signal);
        push.catchUp();
        if (!restored) reconnect.startAnew();
        reconnect.planMissing();
        reconnect.start();
      },
      snapshot: () => ({
        told: hello.state,
        sessions: [...sessions.all()],
        plans: reconnect.plans(),
        history: history.snapshot(),
        dials: budget.snapshot(),
      }),
      restore: (state) => {
        restored = true;
        hello.restore(state.told);
        for (const session of state.sessions) sessions.add({ ...session });
        reconnect.restore(state.plans);
        history.restore(state.history);
        budget.restore(state.dials);
      },
      diagnostics: () => ({
        peers: sessions.ready().length,
        exchanging: sessions.size - sessions.ready().length,
        known: store.count(),
        redial: reconnect.plans().length,
        dialling: ctx.part(part.CONNECTOR).dialling,
        sections: ctx.part(part.EXTENSIONS).names(),
        observed_addrs: [...new Set(sessions.ready().map(({ observedAddr }) => observedAddr))].slice(0, 8),
      }),
    };
  },
});
