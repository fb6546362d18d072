import { codeOf } from '../../kernel/index.ts';
import type { ConnectionInfo, NodeId } from '../../kernel/index.ts';
import { AddressBook } from './address-book.ts';
import { Announcements } from './announcements.ts';
import { knowledgeChanged, peerGone } from './api.ts';
import type { ConnectRequest } from './api.ts';
import { readTarget } from './commands.ts';
import type { MeshContext } from './context.ts';
import { meshErrors } from './errors.ts';
import { Exchange } from './exchange.ts';
import { Growth } from './growth/growth.ts';
import { Grower } from './growth/grower.ts';
import { History } from './history.ts';
import { Links, peerOf } from './links.ts';
import type { Link } from './links.ts';
import { OwnSide } from './own-side.ts';
import { Preference } from './prefer/preference.ts';
import { PreferredPeers } from './prefer/preferred-peers.ts';
import { Rebalance } from './rebalance/rebalance.ts';
import { Redial } from './redial.ts';
import { assembleKnowledge } from './resolve/assemble.ts';
import { DialBudget } from './dial-budget.ts';
import { DialPurposes } from './dial-purposes.ts';
import { Connector } from './connector.ts';
import { Sections } from './sections.ts';
import { Blacklist } from './slots/blacklist.ts';
import { Handover } from './slots/handover.ts';
import { Redirects } from './slots/redirects.ts';
import { Slots } from './slots/slots.ts';

/** Sessions of remembered nodes ask for a slot again this long after they were refused. */
const ASK_AGAIN_MS = 5 * 60_000;
/** A preferred peer is searched for at first; later it is tried where it was or is reported, and comes by itself. */
const SOUGHT_MS = 3_600_000;
const KNOWN_STEPS = ['social-cache', 'peers-table', 'ask-n2-reporter', 'ask-n3-chain', 'preferred-peers'] as const;
/** What a request to connect fails with before anything was dialled: it may be looked for all the same. */
const UNDIALLED = new Set([meshErrors.code('not-dialable'), meshErrors.code('over-budget')]);
const KEPT_KINDS = new Set(['mesh', 'keep-alive', 'lan']);

/** All parts of mesh, joined. They refer to each other, so each is reached through what this gives. */
export function assembleMesh(mesh: MeshContext) {
  const { ctx, network } = mesh;
  const links = new Links();
  const history = new History();
  const book = new AddressBook(ctx.db);
  const preferred = new PreferredPeers(ctx.db, ctx.clock);
  const blacklist = new Blacklist(ctx.db, ctx.clock);
  const purposes = new DialPurposes();
  const sections = new Sections({ counters: ctx.counters, log: ctx.log, offered: () => network.features() });
  const own = new OwnSide(mesh, () => preference.nplus10());
  const announcements = new Announcements(mesh, links, own, sections);
  const budget = new DialBudget(ctx.clock);
  const connector = new Connector(mesh, { links, book, history, budget, purposes, dialled: () => redial.dialled() });
  const redial = new Redial(mesh, book, links, connector);
  const { knowledge, addresses, cascade } = assembleKnowledge(mesh, {
    links,
    book,
    history,
    connector,
    purposes,
    learned: (reporter, isNews) => {
      if (isNews) ctx.emit(knowledgeChanged, { reporter });
      else if (!growth.isBackedOff) return;
      growth.learned();
      grower.run();
    },
  });
  const slots = new Slots(mesh, {
    links,
    purposes,
    isPreferred: (nodeId) => preferred.has(nodeId),
    isBlacklisted: (nodeId) => blacklist.has(nodeId),
    diversity: (nodeId) => knowledge.diversity(nodeId),
    changed: (nodeId, holdsSlot) => {
      book.slotChanged(nodeId, holdsSlot);
      knowledge.n1Changed();
    },
  });
  const preference = new Preference(mesh, { links, slots, book, preferred, blacklist });
  const growth = new Growth({
    clock: ctx.clock,
    knowledge: {
      candidates: (limit, isExcluded) => knowledge.candidates(limit, isExcluded),
      reporters: (nodeId) => knowledge.reach(nodeId).n2Reporters,
    },
    room: () => ({ used: slots.heldCount, limit: slots.limits.mesh }),
    isUnwanted: (nodeId) =>
      nodeId === ctx.self.nodeId ||
      blacklist.has(nodeId) ||
      network.connectionsOf(nodeId).some(({ kind }) => KEPT_KINDS.has(kind)) ||
      book.get(nodeId)?.heldOff === true,
  });
  const redirects = new Redirects(mesh, {
    links,
    addresses: (nodeId) => book.get(nodeId)?.addresses ?? [],
    suggested: (lead) => {
      if (growth.redirected(lead)) grower.run();
      else ctx.counters.add('redirects-not-followed');
    },
  });
  const handover = new Handover(mesh, {
    links,
    slots,
    book,
    isPreferred: (nodeId) => preferred.has(nodeId),
    pleadsTo: (nodeId) => growth.pleadsTo(nodeId),
    canFollow: () => ctx.config.growth && !growth.isBackedOff,
    offer: (lead) => {
      const isTaken = growth.offer(lead);
      // Its slot is free as soon as the answer is on its way.
      if (isTaken)
        mesh.ctx.background(
          'handover',
          Promise.resolve().then(() => grower.run()),
        );
      return isTaken;
    },
  });
  const exchange = new Exchange(mesh, {
    links,
    own,
    sections,
    book,
    history,
    announcements,
    slots,
    redirects,
    handover,
    preference,
    joined: (link) => knowledge.joined(peerOf(link)),
  });
  const grower = new Grower(mesh, {
    growth,
    slots,
    purposes,
    book,
    connect: (request) => connect(request),
    ask: (link) => exchange.ask(link),
  });

  const connect = async (request: ConnectRequest): Promise<Link> => {
    const { nodeId, at, told, purpose, signal, search = at === undefined && told === undefined } = request;
    if (at !== undefined || told !== undefined) {
      try {
        return await connector.connect(request);
      } catch (error) {
        if (search === false || !UNDIALLED.has(codeOf(error))) throw error;
      }
    }
    const steps = search === true ? {} : { steps: search === false ? [] : search };
    const heard = signal === undefined ? {} : { signal };
    return purposes.during(nodeId, purpose, () => cascade.connect(nodeId, { purpose, ...heard, ...steps }));
  };

  /** When this node started; kept over swaps. */
  const up = { sinceMs: ctx.clock.now() };
  const rebalance = new Rebalance(mesh, {
    slots,
    book,
    preferred,
    preference,
    blacklist,
    connectTo: async (nodeId, purpose) => {
      // Our own absence is not the peer's.
      const sinceMs = Math.max(up.sinceMs, preferred.get(nodeId)?.lastReachedMs ?? 0);
      const awayMs = ctx.clock.now() - sinceMs;
      const search = awayMs > SOUGHT_MS ? KNOWN_STEPS : true;
      const link = await connect({ nodeId, purpose, signal: ctx.signal, search });
      // It may have been here all the time, as a session.
      if (!slots.holds(link.connectionId)) await purposes.during(nodeId, purpose, () => exchange.ask(link));
    },
    requestGrowth: () => {
      growth.request();
      grower.run();
    },
  });
  sections.add('routes', knowledge.section);

  return {
    links,
    up,
    budget,
    history,
    book,
    preferred,
    blacklist,
    sections,
    own,
    announcements,
    redial,
    knowledge,
    addresses,
    cascade,
    slots,
    preference,
    growth,
    grower,
    redirects,
    handover,
    exchange,
    rebalance,
    connector,
    connect,

    /** The link of a live connection; made here when its event is still on the way. */
    linkOf(connection: ConnectionInfo): Link {
      const known = links.get(connection.id);
      if (known !== undefined) return known;
      const link = newLink(connection, ctx.clock.now());
      links.add(link);
      return link;
    },

    /** @throws mesh/bad-connect-string, mesh/own-node, transport/*, the signal's reason */
    async connectAndRemember(target: string, signal: AbortSignal | undefined): Promise<Link> {
      const { nodeId, addresses: at } = readTarget(target, ctx.self);
      const link = await connector.connect({
        nodeId,
        at,
        purpose: 'user',
        ...(signal === undefined ? {} : { signal }),
      });
      book.connected(nodeId, at);
      return link;
    },

    /** A connection is gone. */
    ended(connectionId: number, reason: string, byPeer: boolean): void {
      const link = links.remove(connectionId, () =>
        meshErrors.make('exchange-failed', { reason: `connection ended: ${reason}` }),
      );
      if (link === undefined) return;
      const peer = peerOf(link);
      const now = ctx.clock.now();
      history.closed(peer.nodeId, now, reason, byPeer);
      if (!links.all().some(({ deviceId }) => deviceId === link.deviceId)) knowledge.left(peer);
      if (link.holdsSlot) rebalance.lost(link, reason);
      if (link.state === 'ready') {
        ctx.counters.add(`peers-gone.${reason}`);
        preferred.reached(peer.nodeId);
        if (links.readyOf(peer.nodeId).length === 0) book.gone(peer.nodeId, now);
        ctx.emit(peerGone, { peer, connectionId, reason });
      }
      slots.ended(link);
      redial.closed(link, reason, byPeer);
    },

    /** The growth timer (CYC-04). */
    grow(): void {
      const now = ctx.clock.now();
      growth.tick();
      for (const link of links.ready()) {
        const nodeId = link.nodeId as NodeId;
        if (network.kindOf(link.connectionId) !== 'session' || !book.isWanted(nodeId)) continue;
        if (now - link.slotRefusedAtMs >= ASK_AGAIN_MS) growth.offer({ nodeId, addresses: [], from: nodeId });
      }
      grower.run();
    },

    /** At a start: who was here before comes back, preferred peers first. */
    returnAll(isFirst: boolean): void {
      mesh.ctx.background(
        'return',
        rebalance.returnPreferred().catch((error) => ctx.counters.add(`return-failed.${codeOf(error)}`)),
      );
      if (isFirst) redial.planReturn();
      redial.planMissing();
    },
  };
}

export type MeshParts = ReturnType<typeof assembleMesh>;

function newLink(connection: ConnectionInfo, openedAtMs: number): Link {
  return {
    connectionId: connection.id,
    nodeId: connection.peer.nodeId,
    deviceId: connection.peer.deviceId,
    direction: connection.direction,
    state: 'waiting',
    openedAtMs,
    readyAtMs: 0,
    protocol: 0,
    features: [],
    featuresRevision: 0,
    toldRevision: 0,
    observedAddr: '',
    keepAliveDueMs: 0,
    sectionsSent: [],
    nplus10: [],
    slotReserved: false,
    // Mesh was off for a while: what had a slot has it still.
    holdsSlot: connection.kind === 'mesh',
    slotRefusedAtMs: 0,
    cameByHandover: false,
    redirectDue: false,
  };
}
