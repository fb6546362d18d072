import { isHexId } from '../../kernel/index.ts';
import type { ContextBase, NodeId } from '../../kernel/index.ts';
import { KEPT_CONNECTION_NEEDS, NEED_REASONS } from './api.ts';
import type { Need } from './api.ts';

/** Nodes of one list that are looked at; the rest is left out and counted by nobody. */
export const LIST_MAX = 2_000;

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

  #contributed(): readonly (readonly Need[])[] {
    return this.#ctx.contributions(KEPT_CONNECTION_NEEDS).map((source) => source.ask((list) => readNeeds(list()), []));
  }
}

/** The first of them; what is no need is left out. */
function readNeeds(list: Iterable<unknown>): readonly Need[] {
  const needs: Need[] = [];
  let looked = 0;
  for (const entry of list) {
    if (++looked > LIST_MAX) break;
    if (isNeed(entry)) needs.push(entry);
  }
  return needs;
}

/** Lower is more important (KEEP-08). */
export function rank({ reason }: { readonly reason: Need['reason'] }): number {
  return NEED_REASONS.indexOf(reason);
}

function isNeed(entry: unknown): entry is Need {
  if (typeof entry !== 'object' || entry === null) return false;
  const { nodeId, reason, nplus10 } = entry as Partial<Need>;
  if (typeof nodeId !== 'string' || !isHexId(nodeId) || !Array.isArray(nplus10)) return false;
  return NEED_REASONS.some((known) => known === reason) && nplus10.every((id) => typeof id === 'string' && isHexId(id));
}
