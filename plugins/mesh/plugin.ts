import {
  bind,
  codeOf,
  connectionClosed,
  connectionOpened,
  definePlugin,
  featuresChanged,
  NETWORK,
  Type,
} from '../../kernel/index.ts';
import type { ConnectionInfo } from '../../kernel/index.ts';
import { AddressBook } from './address-book.ts';
import { Announcements } from './announcements.ts';
import { knowledgeChanged, MESH, meshReady, peerGone, peerReady, sectionFeature } from './api.ts';
import { meshCommandHandlers, meshCommands, readTarget } from './commands.ts';
import { MeshConfig } from './config.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import { Exchange } from './exchange.ts';
import { History, NodeHistory } from './history.ts';
import { KnowledgeState, ROUTES_SECTION } from './knowledge/knowledge.ts';
import { nodeListUpdate, PACKED_IDS } from './knowledge/messages.ts';
import { Link, Links, peerOf } from './links.ts';
import { featuresNotice, initialExchange, meshKeepalive, sectionsNotice } from './messages.ts';
import { peersTable } from './migrations/0001-peers.ts';
import { OwnSide, OwnState } from './own-side.ts';
import { Plan, Redial } from './redial.ts';
import { assembleKnowledge } from './resolve/assemble.ts';
import { addressRequest } from './resolve/messages.ts';
import { Sections } from './sections.ts';
import { meshService } from './service.ts';

/** Must outlast the asking side: its deadline of 10 s, and a swap between two attempts. */
const EXCHANGE_WAIT_MS = 20_000;

const State = Type.Object({
  own: OwnState,
  links: Type.Array(Link),
  plans: Type.Array(Plan),
  history: Type.Record(Type.String(), NodeHistory),
  knowledge: KnowledgeState,
});

export default definePlugin({
  name: 'mesh',
  version: '1.0.0',
  kernel: '^1',
  about: 'Connections as peers: first exchange, heartbeat, redialling',
  config: MeshConfig,
  provides: [MESH],
  messages: { initialExchange, meshKeepalive, featuresNotice, sectionsNotice, nodeListUpdate, addressRequest },
  commands: meshCommands,
  features: [PACKED_IDS, sectionFeature(ROUTES_SECTION)],
  migrations: [peersTable],
  state: State,
  setup(ctx) {
    const network = ctx.lease(NETWORK);
    const mesh: MeshContext = {
      ctx,
      network,
      background: (what, work) => {
        work.catch((error) => {
          if (ctx.signal.aborted) return;
          ctx.counters.add(`background-failed.${what}`);
          ctx.log.warn('background-failed', { what, code: codeOf(error), error });
        });
      },
    };
    const links = new Links();
    const history = new History();
    const book = new AddressBook(ctx.db);
    const own = new OwnSide(mesh);
    const sections = new Sections({ counters: ctx.counters, log: ctx.log, offered: () => network.features() });
    const announcements = new Announcements(mesh, links, own, sections);
    const exchange = new Exchange(mesh, { links, own, sections, book, history, announcements });
    const redial = new Redial(mesh, book, links, history);
    const { knowledge, addresses, cascade } = assembleKnowledge(mesh, {
      links,
      book,
      history,
      dial: (nodeId, at) => redial.reach(nodeId, at, 'resolve'),
      learned: (reporter) => ctx.emit(knowledgeChanged, { reporter }),
    });
    sections.add(ROUTES_SECTION, knowledge.section);
    let restored = false;

    /** The link of a live connection; made here when its event is still on the way. */
    const linkOf = (connection: ConnectionInfo): Link => {
      const known = links.get(connection.id);
      if (known !== undefined) return known;
      const link: Link = {
        connectionId: connection.id,
        nodeId: connection.peer.nodeId,
        deviceId: connection.peer.deviceId,
        direction: connection.direction,
        state: 'waiting',
        openedAtMs: ctx.clock.now(),
        readyAtMs: 0,
        protocol: 0,
        features: [],
        featuresRevision: 0,
        toldRevision: 0,
        observedAddr: '',
        keepAliveDueMs: 0,
        sectionsSent: [],
      };
      links.add(link);
      return link;
    };

    const ended = (connectionId: number, reason: string, byPeer: boolean): void => {
      const link = links.remove(
        connectionId,
        meshErrors.make('exchange-failed', { reason: `connection ended: ${reason}` }),
      );
      if (link === undefined) return;
      const peer = peerOf(link);
      const now = ctx.clock.now();
      history.closed(peer.nodeId, now, reason, byPeer);
      const stays = links.all().some((other) => other.nodeId === link.nodeId && other.deviceId === link.deviceId);
      if (!stays) knowledge.left(peer);
      if (link.state === 'ready') {
        ctx.counters.add(`peers-gone.${reason}`);
        if (links.readyOf(peer.nodeId).length === 0) book.gone(peer.nodeId, now);
        ctx.emit(peerGone, { peer, connectionId, reason });
      }
      redial.closed(link, reason, byPeer);
    };

    const connect = async (target: string, signal: AbortSignal | undefined): Promise<Link> => {
      const { nodeId, addresses } = readTarget(target, ctx.self);
      const link = await abortable(redial.reach(nodeId, addresses, 'user'), signal);
      book.connected(nodeId, addresses);
      return link;
    };

    ctx.on(connectionOpened, (connection) => {
      if (network.connection(connection.id) === undefined) return;
      const link = linkOf(connection);
      if (connection.direction === 'outbound' && link.state === 'waiting') {
        mesh.background('exchange', exchange.ask(link));
      }
    });
    ctx.on(connectionClosed, ({ id, reason, byPeer }) => ended(id, reason, byPeer));
    ctx.on(peerReady, ({ peer }) => knowledge.joined(peer));
    ctx.on(featuresChanged, () => announcements.catchUp());

    /** A frame of a connection that ended while it waited for us has no link any more. */
    const liveLink = (connectionId: number): Link | undefined => {
      const connection = network.connection(connectionId);
      return connection === undefined ? undefined : linkOf(connection);
    };

    return {
      services: [
        bind(MESH, meshService(mesh, { links, book, redial, sections, announcements, knowledge, cascade, connect })),
      ],
      commands: meshCommandHandlers(mesh, {
        links,
        book,
        redial,
        history,
        sections,
        knowledge,
        cascade,
        connect,
      }),
      handlers: {
        initialExchange: (body, call) => {
          const link = liveLink(call.connectionId);
          if (link === undefined) throw meshErrors.make('exchange-failed', { reason: 'the connection has ended' });
          return exchange.answer(link, body, call);
        },
        meshKeepalive: () => {
          ctx.counters.add('keepalives-received');
        },
        nodeListUpdate: (lists, call) => knowledge.receive(lists, call),
        addressRequest: (question, call) => addresses.answer(question, call),
        featuresNotice: ({ features, revision }, call) => {
          const link = links.get(call.connectionId);
          if (link !== undefined) announcements.receiveFeatures(link, features, revision);
        },
        sectionsNotice: async (body, call) => {
          // They may overtake the answer to our exchange, but a peer that owes us its own is not heard.
          const link = links.get(call.connectionId);
          if (link === undefined || link.state === 'waiting') ctx.counters.add('sections-before-exchange');
          else await sections.receive(call.peer, body.sections);
        },
      },
      loops: {
        ...knowledge.loops,
        'keep-alive': { everyMs: 1_000, run: () => announcements.keepAlive() },
        redial: { everyMs: 250, run: () => redial.tick() },
        watch: {
          everyMs: 5_000,
          run: () => {
            const now = ctx.clock.now();
            announcements.catchUp();
            for (const link of links.all()) {
              const connection = network.connection(link.connectionId);
              if (connection === undefined) ended(link.connectionId, 'connection-missing', false);
              else if (link.state === 'waiting' && now - link.openedAtMs > EXCHANGE_WAIT_MS) exchange.expire(link);
              else if (now - connection.lastActivityMs > ctx.config.zombieMs) {
                ctx.counters.add('zombies-closed');
                network.close(connection.id, 'zombie');
              }
            }
          },
        },
      },
      activate: () => {
        // Connections outlive generations: some ended, came or stopped half-way between the two.
        for (const link of links.all()) {
          if (network.connection(link.connectionId) === undefined) ended(link.connectionId, 'ended-during-swap', false);
        }
        for (const connection of network.connections()) {
          const link = linkOf(connection);
          if (link.state !== 'ready') mesh.background('exchange', exchange.ask(link));
        }
        ctx.emit(meshReady, {});
        announcements.catchUp();
        if (!restored) redial.planReturn();
        redial.planMissing();
      },
      snapshot: () => ({
        own: own.state,
        links: [...links.all()],
        plans: redial.plans(),
        history: history.snapshot(),
        knowledge: knowledge.snapshot(),
      }),
      restore: (state) => {
        restored = true;
        own.restore(state.own);
        for (const link of state.links) links.add({ ...link });
        redial.restore(state.plans);
        history.restore(state.history);
        knowledge.restore(state.knowledge);
      },
      diagnostics: () => ({
        peers: links.ready().length,
        ...knowledge.diagnostics(),
        exchanging: links.size - links.ready().length,
        known: book.count(),
        redial: redial.plans().length,
        dialling: redial.dialling,
        sections: sections.names(),
        observed_addrs: [...new Set(links.ready().map((link) => link.observedAddr))].slice(0, 8),
      }),
    };
  },
});

/** `work` goes on for others who wait for it; only this caller stops waiting. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
