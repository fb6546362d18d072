import type { ContextBase, NodeId, Ref } from '../../kernel/index.ts';
import type { ConnectedPeers, PeersService } from '../peers/api.ts';
import type { RoutingService } from '../routing/api.ts';
import type { SocialService } from '../social/api.ts';
import type { Routes } from './routes.ts';

/** A followee is redialled without pause for so long after it was last here; after that by check-ins. */
export const KEPT_AFTER_MS = 3_600_000;
/** Followees redialled so, the latest seen first: each may become a connection of its own. */
export const KEPT_MAX = 250;

interface KeptDeps {
  readonly ctx: ContextBase;
  readonly routes: Routes;
  readonly connected: ConnectedPeers;
  readonly peers: Ref<PeersService>;
  readonly routing: Ref<RoutingService>;
  readonly social: Ref<SocialService>;
}

/** Which followees peers is to redial without pause. */
export class KeptFollowees {
  readonly #deps: KeptDeps;
  /** Whom peers is redialling for us; `undefined` until it was told. */
  #kept: ReadonlySet<NodeId> | undefined;

  constructor(deps: KeptDeps) {
    this.#deps = deps;
  }

  /** Peers is new, and knows of nobody whom it is to redial. */
  forgetAll(): void {
    this.#kept = undefined;
  }

  async add(nodeId: NodeId, addresses: readonly string[]): Promise<void> {
    await this.#withPeers((service) => {
      service.keepReachable(nodeId, addresses);
      if (this.#kept !== undefined) this.#kept = new Set([...this.#kept, nodeId]);
    });
  }

  async remove(nodeId: NodeId): Promise<void> {
    await this.#withPeers((service) => service.forget(nodeId));
  }

  /**
   * Tells peers whom to redial without pause from now on: those seen or followed of late, but for those
   * whom peers of ours report, who are found when they are wanted and need no connection of their own.
   */
  async refresh(): Promise<void> {
    const { ctx, routes, connected, routing, social } = this.#deps;
    const sinceMs = ctx.clock.now() - KEPT_AFTER_MS;
    const followedAtMs = (nodeId: NodeId): number =>
      social.ask((service) => service.followedAtMs(nodeId), undefined) ?? 0;
    const recent = routes
      .all()
      .filter(({ nodeId, relation, lastConnectedMs }) => {
        if (relation === 'audience') return false;
        return connected.has(nodeId) || lastConnectedMs > sinceMs || followedAtMs(nodeId) > sinceMs;
      })
      .slice(0, KEPT_MAX);
    const known = this.#kept;
    await this.#withPeers((service) => {
      const isReported = (nodeId: NodeId): boolean =>
        routing.ask((table) => table.reach(nodeId).n2Reporters.length > 0, false);
      const hidden = recent.filter(({ nodeId }) => !isReported(nodeId));
      const kept = new Set(hidden.map(({ nodeId }) => nodeId));
      for (const { nodeId, addresses } of hidden) {
        if (known?.has(nodeId) !== true) service.keepReachable(nodeId, addresses);
      }
      const follows = known ?? social.ask((people) => people.follows(), []);
      for (const nodeId of follows) if (!kept.has(nodeId)) service.forget(nodeId);
      this.#kept = kept;
    });
  }

  async #withPeers<R>(call: (service: PeersService) => R): Promise<Awaited<R> | undefined> {
    return this.#deps.peers.tryUse(call, { signal: this.#deps.ctx.signal });
  }
}
