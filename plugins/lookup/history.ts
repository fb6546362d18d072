import { BoundedMap, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';

/** Nodes whose searches are remembered for `peer explain`; beyond it the one longest without news goes. */
const NODES_MAX = 200;
const RUNS_MAX = 5;

/** One line of `peer explain`. */
export const StepRecord = Type.Object({
  step: Type.String(),
  took_ms: Type.Integer(),
  /** `connected`, `skipped`, `nothing` or `dial-failed`. */
  result: Type.String(),
  /** The rule or error that decided, in words. */
  reason: Type.String(),
});
export type StepRecord = Static<typeof StepRecord>;

/** One search. */
export const Resolution = Type.Object({
  at_ms: Type.Integer(),
  took_ms: Type.Integer(),
  purpose: Type.String(),
  /** The name of the step that led to the node, `unreachable`, or `gave-up`. */
  result: Type.String(),
  steps: Type.Array(StepRecord),
});
export type Resolution = Static<typeof Resolution>;

/** The last searches for each node, the latest last. */
export class LookupHistory {
  readonly #runs = new BoundedMap<NodeId, readonly Resolution[]>(NODES_MAX);

  get(nodeId: NodeId): readonly Resolution[] {
    return this.#runs.get(nodeId) ?? [];
  }

  add(nodeId: NodeId, run: Resolution): void {
    this.#runs.set(nodeId, [...this.get(nodeId), run].slice(-RUNS_MAX));
  }
}
