import { definePart } from '../../kernel/index.ts';
import type { ConnectionKind, NodeId } from '../../kernel/index.ts';
import type { MeshContext, MeshPluginContext } from './context.ts';
import { Growth } from './growth/growth.ts';
import { GrowthLoop } from './growth/growth-loop.ts';
import { neighboursOf } from './neighbours.ts';
import { PreferenceAgreements } from './prefer/preference-agreements.ts';
import { PreferredPeers } from './prefer/preferred-peers.ts';
import { Rebalance } from './rebalance/rebalance.ts';
import { MeshSessions } from './sessions.ts';
import { Blacklist } from './slots/blacklist.ts';
import { Redirects } from './slots/redirects.ts';
import { slotPolicy } from './slots/slot-policy.ts';
import { SlotTransfer } from './slots/slot-transfer.ts';
import { Slots } from './slots/slots.ts';

/* What mesh is made of, each once a generation. */

/** A preferred peer is searched for at first; later it is tried where it was or is reported, and comes by itself. */
const SOUGHT_MS = 3_600_000;
const KNOWN_STEPS = ['social-cache', 'peers-table', 'ask-n2-reporter', 'ask-n3-chain', 'preferred-peers'];
const KEPT_KINDS: ReadonlySet<ConnectionKind> = new Set(['mesh', 'keep-alive', 'lan']);

export const CONTEXT = definePart(
  'context',
  (_use, ctx: MeshPluginContext): MeshContext => ({ ctx, network: ctx.deps.network }),
);
export const NEIGHBOURS = definePart('neighbours', (use) => neighboursOf(use(CONTEXT)));
export const SESSIONS = definePart('sessions', () => new MeshSessions());
export const PREFERRED = definePart(
  'preferred',
  (_use, ctx: MeshPluginContext) => new PreferredPeers(ctx.db, ctx.clock),
);
export const BLACKLIST = definePart('blacklist', (_use, ctx: MeshPluginContext) => new Blacklist(ctx.db, ctx.clock));
/** When this node started; kept over swaps. */
export const UPTIME = definePart('uptime', (_use, ctx: MeshPluginContext) => ({ sinceMs: ctx.clock.now() }));

export const SLOTS = definePart('slots', (use) => {
  const [neighbours, preferred, blacklist] = [use(NEIGHBOURS), use(PREFERRED), use(BLACKLIST)];
  return new Slots(use(CONTEXT), {
    sessions: use(SESSIONS),
    isPreferred: (nodeId) => preferred.has(nodeId),
    isBlacklisted: (nodeId) => blacklist.has(nodeId),
    diversity: (nodeId) => neighbours.diversity(nodeId),
    changed: (nodeId, holdsSlot) => neighbours.slotChanged(nodeId, holdsSlot),
  });
});

export const AGREEMENTS = definePart(
  'agreements',
  (use) =>
    new PreferenceAgreements(use(CONTEXT), {
      sessions: use(SESSIONS),
      slots: use(SLOTS),
      neighbours: use(NEIGHBOURS),
      preferred: use(PREFERRED),
      blacklist: use(BLACKLIST),
    }),
);

export const GROWTH = definePart('growth', (use, ctx: MeshPluginContext) => {
  const [slots, neighbours, blacklist] = [use(SLOTS), use(NEIGHBOURS), use(BLACKLIST)];
  const isKept = (nodeId: NodeId): boolean =>
    ctx.deps.network.connectionsOf(nodeId).some(({ kind }) => KEPT_KINDS.has(kind));
  return new Growth({
    clock: ctx.clock,
    knowledge: neighbours,
    room: () => ({ used: slots.heldCount, limit: slots.limits.mesh }),
    isUnwanted: (nodeId) =>
      nodeId === ctx.self.nodeId || blacklist.has(nodeId) || isKept(nodeId) || neighbours.isHeldOff(nodeId),
  });
});

export const REDIRECTS = definePart('redirects', (use, ctx: MeshPluginContext) => {
  const growth = use(GROWTH);
  const loop = use.later(GROWTH_LOOP);
  return new Redirects(use(CONTEXT), {
    neighbours: use(NEIGHBOURS),
    suggested: (lead) => {
      if (growth.redirected(lead)) loop().run();
      else ctx.counters.add('redirects-not-followed');
    },
  });
});

export const GROWTH_LOOP: ReturnType<typeof definePart<GrowthLoop>> = definePart(
  'growth-loop',
  (use) =>
    new GrowthLoop(use(CONTEXT), {
      growth: use(GROWTH),
      slots: use(SLOTS),
      sessions: use(SESSIONS),
      redirects: use(REDIRECTS),
      neighbours: use(NEIGHBOURS),
    }),
);

export const TRANSFER = definePart('transfer', (use, ctx: MeshPluginContext) => {
  const [growth, loop, preferred] = [use(GROWTH), use(GROWTH_LOOP), use(PREFERRED)];
  return new SlotTransfer(use(CONTEXT), {
    sessions: use(SESSIONS),
    slots: use(SLOTS),
    neighbours: use(NEIGHBOURS),
    isPreferred: (nodeId) => preferred.has(nodeId),
    pleadsTo: (nodeId) => growth.pleadsTo(nodeId),
    canFollow: () => ctx.config.growth && !growth.isBackedOff,
    offer: (lead) => {
      const isTaken = growth.offer(lead);
      // Its slot is free as soon as the answer is on its way.
      if (isTaken)
        ctx.background(
          'handover',
          Promise.resolve().then(() => loop.run()),
        );
      return isTaken;
    },
  });
});

export const REBALANCE = definePart('rebalance', (use, ctx: MeshPluginContext) => {
  const [slots, neighbours, preferred, up] = [use(SLOTS), use(NEIGHBOURS), use(PREFERRED), use(UPTIME)];
  const [growth, loop] = [use(GROWTH), use(GROWTH_LOOP)];
  return new Rebalance(use(CONTEXT), {
    slots,
    neighbours,
    preferred,
    agreements: use(AGREEMENTS),
    blacklist: use(BLACKLIST),
    connectTo: async (nodeId, purpose) => {
      // Our own absence is not the peer's.
      const sinceMs = Math.max(up.sinceMs, preferred.get(nodeId)?.lastReachedMs ?? 0);
      const search = ctx.clock.now() - sinceMs > SOUGHT_MS ? KNOWN_STEPS : true;
      const { connectionId } = await neighbours.connect({ nodeId, purpose, signal: ctx.signal, search });
      // It may have been here all the time, as a session.
      if (!slots.holds(connectionId)) await neighbours.askAgain(connectionId, purpose);
    },
    requestGrowth: () => {
      growth.request();
      loop.run();
    },
  });
});

export const POLICY = definePart('policy', (use) =>
  slotPolicy(use(CONTEXT), {
    sessions: use(SESSIONS),
    slots: use(SLOTS),
    transfer: use(TRANSFER),
    redirects: use(REDIRECTS),
    agreements: use(AGREEMENTS),
  }),
);
