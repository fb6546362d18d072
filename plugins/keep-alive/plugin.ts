import { bind, connectionClosed, definePlugin, NETWORK, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { ANCHORS } from '../anchors/api.ts';
import { PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';
import { connectivityChecked, KEEP_ALIVE, KEPT_CONNECTION_NEEDS } from './api.ts';
import { keepAliveCommandHandlers, keepAliveCommands } from './commands.ts';
import { KeepAliveConfig, sessionsMax } from './config.ts';
import { Dialler } from './dialler.ts';
import { KeptConnectionHost } from './kept-connection-host.ts';
import { keepAliveRequest } from './messages.ts';
import { Needs } from './needs.ts';
import { KeptConnection, KeptConnections } from './kept-connections.ts';
import { takeSnapshot } from './reachability-snapshot.ts';
import { keepAliveUi } from './ui.ts';

/** How often it is checked that the needed nodes are in sight (CYC-06). */
const CHECK_MS = 60_000;

export default definePlugin({
  name: 'keep-alive',
  version: '1.0.0',
  kernel: '^1',
  about: 'Sessions outside the mesh that keep contacts findable',
  config: KeepAliveConfig,
  inject: {
    network: NETWORK,
    peers: { optional: PEERS },
    routing: { optional: ROUTING },
    anchors: { optional: ANCHORS },
  },
  provides: [KEEP_ALIVE],
  points: [KEPT_CONNECTION_NEEDS],
  messages: { keepAliveRequest },
  commands: keepAliveCommands,
  state: Type.Object({ sessions: Type.Array(KeptConnection) }),
  setup(ctx) {
    const { network, peers, routing } = ctx.deps;
    const needs = new Needs(ctx);
    const sessions = new KeptConnections({ ctx, network, dialler: new Dialler({ ctx, network, peers }) });
    const around = () => takeSnapshot({ ctx, network, routing, anchors: () => ctx.deps.anchors });
    const gather = () => needs.gather(ctx.self.nodeId);
    const host = new KeptConnectionHost({
      ctx,
      network,
      sessions,
      around,
      addresses: async (nodeId: NodeId) =>
        (await peers.tryUse((service) => service.addresses(nodeId), { signal: ctx.signal })) ?? [],
    });
    /** Returns the attempts to open sessions, which go on when the check is over. */
    const check = async (): Promise<Promise<unknown>[]> => {
      const now = await around();
      if (now === undefined) return [];
      const needed = gather();
      const attempts = sessions.check(needed, now);
      const outOfSight = needed.filter(({ nodeId }) => sessions.isOutOfSight(nodeId)).length;
      ctx.emit(connectivityChecked, { needed: needed.length, outOfSight, sessions: sessions.all().length });
      return [attempts];
    };
    ctx.on(connectionClosed, ({ id }) => sessions.lost(id));

    return {
      contributes: keepAliveUi,
      services: [
        bind(KEEP_ALIVE, {
          check: async () => void (await Promise.all(await check())),
        }),
      ],
      handlers: { keepAliveRequest: (body, call) => host.answer(body, call) },
      commands: keepAliveCommandHandlers({
        network,
        sessions,
        nowMs: () => ctx.clock.now(),
        max: sessionsMax(ctx.config),
        needs: gather,
        canCheck: () => routing.available,
      }),
      loops: { check: { everyMs: CHECK_MS, jitter: 0, run: async () => void (await check()) } },
      snapshot: () => ({ sessions: [...sessions.all()] }),
      restore: (state) => sessions.restore(state.sessions),
      diagnostics: () => ({
        sessions: sessions.all().length,
        keep_alives: sessions.count(),
        max: sessionsMax(ctx.config),
      }),
    };
  },
});
