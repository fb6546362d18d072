import type { ContextBase, NodeId } from '../../kernel/index.ts';
import { KEPT_CONNECTION_NEEDS, NEED_REASONS } from './api.ts';
import type { Need } from './api.ts';

/** Which nodes must stay findable (KEEP-02), the most important first. */
export class Needs {
  readonly #ctx: Pick<ContextBase, 'contributions'>;

  constructor(ctx: Pick<ContextBase, 'contributions'>) {
    this.#ctx = ctx;
  }

  /** Each node once, under its most important reason. */
  gather(self: NodeId): readonly Need[] {
    const needs = new Map<NodeId, Need>();
    for (const list of this.#contributed()) {
      for (const need of list) {
        const known = needs.get(need.nodeId);
        if (need.nodeId === self || (known !== undefined && rank(known) <= rank(need))) continue;
        needs.set(need.nodeId, need);
      }
    }
    return [...needs.values()].sort((one, other) => rank(one) - rank(other));
  }

  #contributed(): readonly Iterable<Need>[] {
    return this.#ctx
      .contributions(KEPT_CONNECTION_NEEDS)
      .map((source) => source.ask((list): Iterable<Need> => list(), []));
  }
}

/** Lower is more important (KEEP-08). */
export function rank({ reason }: { readonly reason: Need['reason'] }): number {
  return NEED_REASONS.indexOf(reason);
}
