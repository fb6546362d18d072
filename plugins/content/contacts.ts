import { codeOf } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import type { ContentContext } from './context.ts';

/**
 * Whom the user follows and who is connected, as peers and social say. While social is reloaded or off
 * the last known follows stand, so that a feed does not empty under the reader.
 */
export class Contacts {
  readonly #ctx: ContentContext;
  #follows: ReadonlySet<NodeId> = new Set();
  #nplus10: readonly NodeId[];

  constructor(ctx: ContentContext) {
    this.#ctx = ctx;
    this.#nplus10 = [ctx.self.nodeId];
  }

  /** A wait for a swap of the other plugin ends with this generation. */
  get #untilEnd(): { readonly signal: AbortSignal } {
    return { signal: this.#ctx.signal };
  }

  /** Synchronous, for checks on every record that comes in. */
  isFollowed(nodeId: NodeId): boolean {
    return this.#follows.has(nodeId);
  }

  /** Whose posts are kept here: those of the user, on whatever device, and of the followed. */
  isKept(nodeId: NodeId): boolean {
    return nodeId === this.#ctx.self.nodeId || this.#follows.has(nodeId);
  }

  get follows(): ReadonlySet<NodeId> {
    return this.#follows;
  }

  /** Takes an unfollow into account at once. */
  drop(nodeId: NodeId): void {
    this.#follows = new Set([...this.#follows].filter((other) => other !== nodeId));
  }

  async refresh(): Promise<ReadonlySet<NodeId>> {
    const { social } = this.#ctx.deps;
    if (social.available) this.#follows = new Set(await social.use((service) => service.follows(), this.#untilEnd));
    return this.#follows;
  }

  /** Connected peers that follow the user or are followed: who is told of new posts (design section 11). */
  async connectedContacts(): Promise<NodeId[]> {
    const follows = await this.refresh();
    const connected = await this.connected();
    const others = connected.filter((nodeId) => !follows.has(nodeId));
    const { social } = this.#ctx.deps;
    const followers = social.available
      ? await social.use((service) => service.followersAmong(others), this.#untilEnd)
      : [];
    const contacts = new Set([...follows, ...followers]);
    return connected.filter((nodeId) => contacts.has(nodeId));
  }

  /** Identities with at least one finished connection. */
  async connected(): Promise<NodeId[]> {
    const { peers: service } = this.#ctx.deps;
    if (!service.available) return [];
    const peers = await service.use((present) => present.peers(), this.#untilEnd);
    return [...new Set(peers.map(({ peer }) => peer.nodeId))].filter((nodeId) => nodeId !== this.#ctx.self.nodeId);
  }

  /** The user's node and its preferred peers (NPT-01); while mesh is off the last known ones. */
  async nplus10(): Promise<readonly NodeId[]> {
    const { mesh } = this.#ctx.deps;
    if (!mesh.available) return this.#nplus10;
    try {
      this.#nplus10 = await mesh.use((service) => service.nplus10(), this.#untilEnd);
    } catch (error) {
      // A post must not fail because mesh goes off at this moment.
      this.#ctx.counters.add(`nplus10-not-read:${codeOf(error)}`);
    }
    return this.#nplus10;
  }

  async names(nodeIds: Iterable<NodeId>): Promise<Map<NodeId, string>> {
    const { social } = this.#ctx.deps;
    const names = new Map<NodeId, string>();
    if (!social.available) return names;
    await social.use((service) => {
      for (const nodeId of new Set(nodeIds)) {
        const name = service.displayName(nodeId);
        if (name !== undefined) names.set(nodeId, name);
      }
    }, this.#untilEnd);
    return names;
  }
}
