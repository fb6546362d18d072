import { NodeIdSchema, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';
import type { Anchor } from './api.ts';
import type { AnchorsContext } from './context.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { PeerDirectory } from './peer-directory.ts';

/** CYC-11: one look, and how long the anchor stays in our share after it. */
const CHECK_AFTER_MS = 24 * 3_600_000;
const STICKY_MS = 24 * 3_600_000;
/** Bootstrap anchors that are rejoined at most. */
const REJOINED_MAX = 3;

export const PartitionCheckState = Type.Object({
  /** 0 until it was made. */
  checkedAtMs: Type.Integer(),
  sticky: Type.Array(Type.Object({ node_id: NodeIdSchema, until_ms: Type.Integer() })),
});
export type PartitionCheckState = Static<typeof PartitionCheckState>;

interface IsolationDeps {
  readonly directory: PeerDirectory;
  readonly rejoin: Bootstrap;
  readonly startedAtMs: () => number;
  /** The anchors everybody starts from; without any there is nothing to compare with. */
  bootstrap(): readonly Anchor[];
}

/**
 * A day after the start: is the anchor we started from still within three hops? If not, this part of
 * the network may be an island, and going back to the anchor joins it to the rest.
 */
export class PartitionCheck {
  readonly #anchors: AnchorsContext;
  readonly #deps: IsolationDeps;
  #state: PartitionCheckState = { checkedAtMs: 0, sticky: [] };

  constructor(anchors: AnchorsContext, deps: IsolationDeps) {
    this.#anchors = anchors;
    this.#deps = deps;
  }

  get state(): PartitionCheckState {
    return this.#state;
  }

  restore(state: PartitionCheckState): void {
    this.#state = state;
  }

  /** Named in our N1 share although they may not be connected, so that mesh peers learn them. */
  sticky(): readonly NodeId[] {
    const now = this.#anchors.ctx.clock.now();
    return this.#state.sticky.filter(({ until_ms }) => until_ms > now).map(({ node_id }) => node_id);
  }

  async tick(): Promise<void> {
    const now = this.#anchors.ctx.clock.now();
    const over = this.#state.sticky.filter(({ until_ms }) => until_ms <= now);
    if (over.length > 0) {
      this.#state = { ...this.#state, sticky: this.#state.sticky.filter((entry) => !over.includes(entry)) };
      await this.#deps.directory.n1Changed();
    }
    if (this.#state.checkedAtMs > 0 || now - this.#deps.startedAtMs() < CHECK_AFTER_MS) return;
    this.#state = { ...this.#state, checkedAtMs: now };
    await this.#check();
  }

  async #check(): Promise<void> {
    const { ctx } = this.#anchors;
    const missing: Anchor[] = [];
    for (const anchor of this.#deps.bootstrap()) {
      if (anchor.nodeId === ctx.self.nodeId || missing.length === REJOINED_MAX) continue;
      if (!(await this.#deps.directory.isNear(anchor.nodeId))) missing.push(anchor);
    }
    ctx.counters.add(missing.length > 0 ? 'isolation-checks.isolated' : 'isolation-checks.connected');
    // One at a time: islands of different anchors are different islands.
    for (const anchor of missing) {
      await this.#deps.rejoin.run('isolation', [anchor]);
      if (this.#deps.directory.isConnected(anchor.nodeId)) await this.#stick(anchor.nodeId);
    }
  }

  async #stick(nodeId: NodeId): Promise<void> {
    const until_ms = this.#anchors.ctx.clock.now() + STICKY_MS;
    this.#state = { ...this.#state, sticky: [...this.#state.sticky, { node_id: nodeId, until_ms }] };
    await this.#deps.directory.n1Changed();
  }
}
