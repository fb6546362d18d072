import type { PeerInfo, PeersService } from './api.ts';
import type { PeersContext } from './context.ts';
import { readOthersTarget } from './connect-string.ts';
import type { Connector } from './connector.ts';
import type { DialBudget } from './dial-budget.ts';
import type { DialPurposes } from './dial-purposes.ts';
import { peersErrors } from './errors.ts';
import type { Handshake } from './handshake.ts';
import type { History } from './history.ts';
import type { PeerStore } from './peer-store.ts';
import { DECLINED_MS } from './reconnect-queue.ts';
import type { ReconnectQueue } from './reconnect-queue.ts';
import { peerOf } from './sessions.ts';
import type { PeerSession, PeerSessions } from './sessions.ts';

export interface ServiceParts {
  readonly sessions: PeerSessions;
  readonly store: PeerStore;
  readonly history: History;
  readonly budget: DialBudget;
  readonly purposes: DialPurposes;
  readonly connector: Connector;
  readonly reconnect: ReconnectQueue;
  readonly handshake: Handshake;
}

/** What peers offers to other plugins. */
export function peersService({ ctx, network }: PeersContext, parts: ServiceParts): PeersService {
  const { sessions, store, history, budget, purposes, connector, reconnect, handshake } = parts;

  const describe = (session: PeerSession): PeerInfo | undefined => {
    const connection = network.connection(session.connectionId);
    if (connection === undefined) return undefined;
    return Object.freeze({
      peer: peerOf(session),
      connectionId: session.connectionId,
      kind: connection.kind,
      direction: connection.direction,
      remoteAddr: connection.remoteAddr,
      connectedAtMs: connection.connectedAtMs,
      readyAtMs: session.readyAtMs,
      lastActivityMs: connection.lastActivityMs,
      features: [...session.features],
    });
  };

  const described = (session: PeerSession): PeerInfo => {
    const peer = describe(session);
    if (peer === undefined) throw peersErrors.make('exchange-failed', { reason: 'the connection ended at once' });
    return peer;
  };

  return {
    zombieMs: ctx.config.zombieMs,
    peers: () => sessions.ready().flatMap((session) => describe(session) ?? []),
    peer: (connectionId) => {
      const session = sessions.get(connectionId);
      return session?.state === 'ready' ? describe(session) : undefined;
    },
    isPeer: (nodeId) => sessions.readyOf(nodeId).length > 0,
    features: (nodeId) => new Set(sessions.readyOf(nodeId).flatMap((session) => session.features)),
    supports: (nodeId, feature) => sessions.readyOf(nodeId).some((session) => session.features.includes(feature)),
    connect: async (request) => described(await connector.connect(request)),
    connectKnown: async (nodeId, options) => described(await connector.connectKnown(nodeId, options)),
    connectAndRemember: async (target, { signal } = {}) => {
      const { nodeId, addresses: at } = readOthersTarget(target, ctx.self);
      const heard = signal === undefined ? {} : { signal };
      // Of a bare id it is to be found out where the node is, also of one that was sent away.
      if (at.length === 0) store.letBack(nodeId);
      const place = at.length === 0 ? {} : { at };
      const session = await connector.connect({ nodeId, ...place, purpose: 'user', ...heard });
      store.connected(nodeId, at);
      await ctx.db.synced();
      return described(session);
    },
    send: async (nodeId, message, body, { purpose, ...options }) => {
      const heard = options.signal === undefined ? {} : { signal: options.signal };
      if (sessions.readyOf(nodeId).length === 0) await connector.connect({ nodeId, purpose, ...heard });
      return ctx.send(nodeId, message, body, options);
    },
    mayHaveDialled: (address, limits) => budget.takeForOther(address, limits),
    keepReachable: (nodeId, addresses) => {
      store.keepReachable(nodeId, addresses);
      reconnect.want(nodeId);
    },
    forget: (nodeId) => {
      store.forget(nodeId);
      if (!store.isWanted(nodeId)) reconnect.cancel(nodeId);
    },
    addresses: (nodeId) => store.get(nodeId)?.addresses ?? [],
    lastSeenMs: (nodeId) => store.get(nodeId)?.lastSeenMs || undefined,
    isRemembered: (nodeId) => store.isWanted(nodeId),
    refusal: (nodeId) => {
      if (store.get(nodeId)?.heldOff === true) return 'held-off';
      const close = history.get(nodeId)?.last_close;
      const declined = close?.by_peer === true && close.reason === 'user-request';
      return declined && ctx.clock.now() - close.at_ms < DECLINED_MS ? 'declined' : undefined;
    },
    purposes: (nodeId) => [...purposes.of(nodeId)],
    during: (nodeId, purpose, work) => purposes.during(nodeId, purpose, work),
    leave: (nodeId) => {
      if (store.isWanted(nodeId) || purposes.of(nodeId).length > 0) return;
      for (const { id, kind, direction } of network.connectionsOf(nodeId)) {
        if (kind === 'session' && direction === 'outbound') network.close(id, 'done');
      }
    },
    askAgain: async (connectionId, purpose, signal) => {
      const session = sessions.get(connectionId);
      if (session !== undefined) await purposes.during(session.nodeId, purpose, () => handshake.ask(session, signal));
    },
    slotChanged: (nodeId, holdsSlot) => store.slotChanged(nodeId, holdsSlot),
    returnLeft: (limit) => reconnect.planReturn(limit),
  };
}
