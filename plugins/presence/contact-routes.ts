import { serviceArrived } from '../../kernel/index.ts';
import type { ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import { peerGone, peerReady, PEERS } from '../peers/api.ts';
import type { ConnectedPeers, PeersService } from '../peers/api.ts';
import { followed, followerChanged, SOCIAL, unfollowed } from '../social/api.ts';
import type { Relation, SocialService } from '../social/api.ts';
import type { KeptFollowees } from './kept-followees.ts';
import { AUDIENCE_ROUTES_MAX, type Routes } from './routes.ts';

interface ContactRoutesDeps {
  readonly ctx: ContextBase;
  readonly routes: Routes;
  readonly connected: ConnectedPeers;
  readonly kept: KeptFollowees;
  readonly peers: Ref<PeersService>;
  readonly social: Ref<SocialService>;
  /** A node is a contact from now on. */
  related(nodeId: NodeId): void;
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
      this.#relate(nodeId, relation, addresses);
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
      if (token === PEERS.name || token === SOCIAL.name) await this.reconcile();
    });
  }

  /** Takes from peers who is here and from social who the contacts are: at a start, and when one of them comes. */
  async reconcile(): Promise<void> {
    const { connected, kept, routes } = this.#deps;
    kept.forgetAll();
    connected.refresh();
    routes.onlyOnline(new Set(connected.nodes()));
    this.#reconcileContacts();
    for (const nodeId of connected.nodes()) await this.#cameOnline(nodeId);
    await kept.refresh();
  }

  /** Social may have gone on while presence was off. Nothing changes while social itself is off. */
  #reconcileContacts(): void {
    const { ctx, social, routes } = this.#deps;
    const contacts = social.ask((service) => contactsOf(service), undefined);
    if (contacts === undefined) return;
    const { relations, isWhole } = contacts;
    ctx.db.transaction(() => {
      for (const { nodeId, relation } of routes.all()) {
        // A follower who is not among the latest may be one all the same.
        const isGone = !relations.has(nodeId) && (isWhole || relation !== 'audience');
        if (isGone) routes.remove(nodeId);
        if (relations.get(nodeId) === relation) relations.delete(nodeId);
      }
      for (const [nodeId, relation] of relations) this.#relate(nodeId, relation);
    });
  }

  #relate(nodeId: NodeId, relation: Relation | undefined, addresses: readonly string[] = []): void {
    const { routes } = this.#deps;
    if (relation === undefined) routes.remove(nodeId);
    else {
      routes.relate(nodeId, relation, addresses);
      this.#deps.related(nodeId);
    }
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

/** How contacts stand to the user. `isWhole`: the latest followers that were asked for are all there are. */
function contactsOf(social: SocialService): { relations: Map<NodeId, Relation>; isWhole: boolean } {
  const followers = social.followers(AUDIENCE_ROUTES_MAX);
  const follows = social.follows();
  const relations = new Map([
    ...followers.map((nodeId): [NodeId, Relation] => [nodeId, 'audience']),
    ...follows.map((nodeId): [NodeId, Relation] => [nodeId, social.isFriend(nodeId) ? 'mutual' : 'follow']),
  ]);
  return { relations, isWhole: followers.length < AUDIENCE_ROUTES_MAX };
}
