import type { NodeId } from '../../kernel/index.ts';

/** Nodes remembered; beyond it the one longest without a broken claim is forgotten. */
const NODES_MAX = 500;
const FORGET_MS = 3_600_000;

/** How often what a node said proved wrong of late. It may have been mistaken, so it is only tried last. */
export class Distrust {
  readonly #broken = new Map<NodeId, { count: number; atMs: number }>();

  of(nodeId: NodeId, nowMs: number): number {
    const entry = this.#broken.get(nodeId);
    return entry === undefined || nowMs - entry.atMs > FORGET_MS ? 0 : entry.count;
  }

  broke(nodeId: NodeId, nowMs: number): void {
    const count = this.of(nodeId, nowMs) + 1;
    this.#broken.delete(nodeId);
    this.#broken.set(nodeId, { count, atMs: nowMs });
    const oldest = this.#broken.keys().next().value;
    if (this.#broken.size > NODES_MAX && oldest !== undefined) this.#broken.delete(oldest);
  }

  kept(nodeId: NodeId): void {
    this.#broken.delete(nodeId);
  }
}
