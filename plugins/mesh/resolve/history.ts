import type { NodeId } from '../../../kernel/index.ts';
import type { ResolutionRecord } from './contract.ts';

/** Nodes whose searches are remembered for `peer explain`; beyond it the one longest without news goes. */
const NODES_MAX = 200;
const RUNS_MAX = 5;

/** The last runs of the cascade for each node, the latest last. */
export class ResolutionHistory {
  readonly #runs = new Map<NodeId, readonly ResolutionRecord[]>();

  get(nodeId: NodeId): readonly ResolutionRecord[] {
    return this.#runs.get(nodeId) ?? [];
  }

  add(nodeId: NodeId, run: ResolutionRecord): void {
    const runs = [...this.get(nodeId), run].slice(-RUNS_MAX);
    this.#runs.delete(nodeId);
    this.#runs.set(nodeId, runs);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= NODES_MAX) break;
      this.#runs.delete(oldest);
    }
  }
}
