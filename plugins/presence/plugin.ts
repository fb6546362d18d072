import { bind, contribute, definePlugin, NETWORK, SIGNER, Type } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { KEPT_CONNECTION_NEEDS } from '../keep-alive/api.ts';
import type { Need } from '../keep-alive/api.ts';
import { MESH } from '../mesh/api.ts';
import { ConnectedPeers, extensionFeature, PEERS } from '../peers/api.ts';
import { ROUTING } from '../routing/api.ts';
import { CONTACT_FACTS, SOCIAL, unfollowed } from '../social/api.ts';
import type { ContactFacts } from '../social/api.ts';
import { addressRecords } from './address-record.ts';
import { PRESENCE } from './api.ts';
import { presenceCommandHandlers, presenceCommands } from './commands.ts';
import { ContactRoutes } from './contact-routes.ts';
import { KeptFollowees } from './kept-followees.ts';
import { socialAddressUpdate, socialCheckin, socialDisconnectNotice } from './messages.ts';
import { presenceTables } from './migrations/0001-presence.ts';
import { Tellers } from './presence.ts';
import { Routes } from './routes.ts';
import type { Route } from './routes.ts';
import { SocialRouting, toSocialRoute } from './social-routing.ts';
import { presenceUi } from './ui.ts';

/** Everything else is on disk: what peers were told of us is handed over, and whom we asked about whom. */
const State = Type.Object({
  own: Type.Optional(addressRecords.body),
  tellers: Type.Optional(Type.Array(Tellers)),
});

const MINUTE_MS = 60_000;

export default definePlugin({
  name: 'presence',
  version: '1.0.0',
  kernel: '^1',
  about: 'Where contacts are: signed addresses, check-ins, and word of who came back',
  inject: {
    network: NETWORK,
    signer: SIGNER,
    social: SOCIAL,
    peers: { optional: PEERS },
    routing: { optional: ROUTING },
    mesh: { optional: MESH },
  },
  provides: [PRESENCE],
  messages: { socialAddressUpdate, socialDisconnectNotice, socialCheckin },
  commands: presenceCommands,
  migrations: [presenceTables],
  features: [extensionFeature('address')],
  state: State,
  setup(ctx) {
    const { network, signer, social, peers, routing, mesh } = ctx.deps;
    const routes = new Routes(ctx.db);
    const connected = new ConnectedPeers({
      ctx,
      network,
      present: () => peers.ask((service) => service.peers(), []),
    });
    const kept = new KeptFollowees({ ctx, routes, connected, peers, routing, social });
    const contacts = new ContactRoutes({
      ctx,
      routes,
      connected,
      kept,
      peers,
      social,
      related: (nodeId) => socialRouting.presence.adopt(nodeId),
      changed: (nodeId) => socialRouting.changed(nodeId),
    });
    const socialRouting = new SocialRouting({
      ctx,
      network,
      signer,
      routes,
      connected,
      peers,
      mesh,
      hasContacts: () => social.available,
      followedAtMs: (nodeId) => social.ask((service) => service.followedAtMs(nodeId), undefined),
    });
    ctx.on(unfollowed, ({ nodeId }) => socialRouting.checkins.forget(nodeId));

    return {
      services: [
        bind(PRESENCE, {
          routes: () => routes.all().map(toSocialRoute),
          route: (nodeId) => {
            const route = routes.get(nodeId);
            return route === undefined ? undefined : toSocialRoute(route);
          },
        }),
      ],
      contributes: [
        ...presenceUi,
        ...socialRouting.contributions(),
        contribute(CONTACT_FACTS, (nodeId: NodeId) => toFacts(routes.get(nodeId))),
        contribute(KEPT_CONNECTION_NEEDS, () => (social.available ? routes.all().map(toNeed) : []), {
          name: 'contacts',
        }),
      ],
      commands: presenceCommandHandlers(routes),
      handlers: {
        socialAddressUpdate: (body, call) => socialRouting.presence.updated(body, call.peer.nodeId),
        socialDisconnectNotice: ({ node_id }, call) => socialRouting.presence.left(node_id, call.peer.nodeId),
        socialCheckin: (body, call) => socialRouting.answer(body, call),
      },
      loops: {
        routes: {
          everyMs: MINUTE_MS,
          run: async () => {
            await kept.refresh();
            await socialRouting.tick();
          },
        },
      },
      activate: async () => {
        await socialRouting.start();
        await contacts.reconcile();
      },
      snapshot: () => {
        const { last } = socialRouting.own;
        const tellers = [...socialRouting.presence.tellers()];
        return last === undefined ? { tellers } : { own: last, tellers };
      },
      restore: (state) => {
        if (state.own !== undefined) socialRouting.restore(state.own);
        socialRouting.presence.restoreTellers(state.tellers ?? []);
      },
      diagnostics: () => ({
        routes: routes.count(),
        watchers: socialRouting.watchers.count(),
        checkins_under_way: socialRouting.checkins.running,
      }),
    };
  },
});

function toFacts(route: Route | undefined): ContactFacts | undefined {
  if (route === undefined) return undefined;
  const { online, reachMethod, addresses, nplus10, lastConnectedMs } = route;
  return { reach: online ? reachMethod : 'none', addresses, nplus10, lastConnectedMs };
}

function toNeed({ nodeId, relation, nplus10 }: Route): Need {
  return { nodeId, reason: relation === 'audience' ? 'audience' : 'follow', nplus10 };
}
