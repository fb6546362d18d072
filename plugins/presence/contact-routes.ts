import { serviceArrived } from '../../kernel/index.ts';
import type { ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import { peerGone, peerReady, PEERS } from '../peers/api.ts';
import type { PeersService } from '../peers/api.ts';
import { followed, followerChanged, unfollowed } from '../social/api.ts';
import type { Relation, SocialService } from '../social/api.ts';
import type { ConnectedPeers } from './connected-peers.ts';
import type { KeptFollowees } from './kept-followees.ts';
import { AUDIENCE_ROUTES_MAX, type Routes } from './routes.ts';

interface ContactRoutesDeps {
  readonly ctx: ContextBase;
  readonly routes: Routes;
  readonly connected: ConnectedPeers;
  readonly kept: KeptFollowees;
  readonly peers: Ref<PeersService>;
  readonly social: Ref<SocialService>;
  /** What is known of a contact has changed. */
  changed(nodeId: NodeId): void;
}

/** Keeps a route for each contact: as social says who is one, and as peers says who is here. */
export class ContactRoutes {
  readonly #deps: ContactRoutesDeps;

  constructor(deps: ContactRoutesDeps) {
    this.#deps = deps;
    const { ctx } = deps;
    ctx.on(followed, async ({ nodeId, relation, addresses }) => {
      deps.routes.relate(nodeId, relation, addresses);
      await deps.kept.add(nodeId, addresses);
      if (deps.connected.has(nodeId)) await this.#cameOnline(nodeId);
    });
    ctx.on(unfollowed, async ({ nodeId, relation }) => {
      this.#relate(nodeId, relation);
      await deps.kept.remove(nodeId);
    });
    ctx.on(followerChanged, ({ nodeId, relation }) => this.#relate(nodeId, relation));
    ctx.on(peerReady, ({ peer }) => this.#cameOnline(peer.nodeId));
    ctx.on(peerGone, ({ peer }) => this.#wentOffline(peer.nodeId));
    ctx.on(serviceArrived, async ({ token }) => {
      if (token === PEERS.name) await this.reconcile();
    });
  }

  /** Takes from social who the contacts are and from peers who is here: at a start, and when peers comes. */
  async reconcile(): Promise<void> {
    const { connected, kept, routes } = this.#deps;
    await this.#reconcileContacts();
    kept.forgetAll();
    await connected.refresh();
    routes.onlyOnline(new Set(connected.nodes()));
    for (const nodeId of connected.nodes()) await this.#cameOnline(nodeId);
    await kept.refresh();
  }

  /** Social may have gone on while presence was off. */
  async #reconcileContacts(): Promise<void> {
    const { ctx, social, routes } = this.#deps;
    const relations = await social.use(
      (service) => {
        const follows = service
          .follows()
          .map((nodeId): [NodeId, Relation] => [nodeId, service.isFriend(nodeId) ? 'mutual' : 'follow']);
        const followers = service.followers(AUDIENCE_ROUTES_MAX);
        return new Map([...followers.map((nodeId): [NodeId, Relation] => [nodeId, 'audience']), ...follows]);
      },
      { signal: ctx.signal },
    );
    ctx.db.transaction(() => {
      for (const { nodeId, relation } of routes.all()) {
        // Followers without a place among the latest keep the route they have.
        if (!relations.has(nodeId) && relation !== 'audience') routes.remove(nodeId);
        if (relations.get(nodeId) === relation) relations.delete(nodeId);
      }
      for (const [nodeId, relation] of relations) routes.relate(nodeId, relation);
    });
  }

  #relate(nodeId: NodeId, relation: Relation | undefined): void {
    if (relation === undefined) this.#deps.routes.remove(nodeId);
    else this.#deps.routes.relate(nodeId, relation);
  }

  async #cameOnline(nodeId: NodeId): Promise<void> {
    const { ctx, peers, routes } = this.#deps;
    if (!routes.has(nodeId)) return;
    const addresses = await peers.tryUse((service) => service.addresses(nodeId), { signal: ctx.signal });
    if (routes.online(nodeId, addresses ?? [], ctx.clock.now())) this.#deps.changed(nodeId);
  }

  #wentOffline(nodeId: NodeId): void {
    const { ctx, connected, routes } = this.#deps;
    if (connected.has(nodeId)) return;
    if (routes.offline(nodeId, ctx.clock.now())) this.#deps.changed(nodeId);
  }
}
