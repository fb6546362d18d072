import { BoundedMap } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';

/** Nodes remembered; beyond it the one longest without a broken claim is forgotten. */
const NODES_MAX = 500;
const FORGET_MS = 3_600_000;

/** How often what a node said proved wrong of late. It may have been mistaken, so it is only tried last. */
export class HolderReputation {
  readonly #broken = new BoundedMap<NodeId, { count: number; atMs: number }>(NODES_MAX);

  of(nodeId: NodeId, nowMs: number): number {
    const entry = this.#broken.get(nodeId);
    return entry === undefined || nowMs - entry.atMs > FORGET_MS ? 0 : entry.count;
  }

  broke(nodeId: NodeId, nowMs: number): void {
    this.#broken.set(nodeId, { count: this.of(nodeId, nowMs) + 1, atMs: nowMs });
  }

  kept(nodeId: NodeId): void {
    this.#broken.delete(nodeId);
  }
}
