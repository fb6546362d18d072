import type { NodeId, Ref } from '../../kernel/index.ts';
import type { SocialService } from '../social/api.ts';
import { NEED_REASONS } from './api.ts';
import type { Need } from './api.ts';

/** Nodes of one list that are looked at; the rest is left out and counted by nobody. */
export const LIST_MAX = 2_000;
const LISTS_MAX = 16;

/** Which nodes must stay findable (KEEP-02), the most important first. */
export class Needs {
  readonly #lists = new Map<string, () => Iterable<Need>>();

  add(name: string, list: () => Iterable<Need>): () => void {
    if (this.#lists.size < LISTS_MAX || this.#lists.has(name)) this.#lists.set(name, list);
    return () => {
      if (this.#lists.get(name) === list) this.#lists.delete(name);
    };
  }

  /** Each node once, under its most important reason. */
  async gather(self: NodeId, social: Ref<SocialService>, signal: AbortSignal): Promise<readonly Need[]> {
    const contacts = social.available ? await social.use((service) => contactsOf(service), { signal }) : [];
    const needs = new Map<NodeId, Need>();
    for (const list of [contacts, ...[...this.#lists.values()].map((read) => read())]) {
      let looked = 0;
      for (const need of list) {
        if (++looked > LIST_MAX) break;
        const known = needs.get(need.nodeId);
        if (need.nodeId === self || (known !== undefined && rank(known) <= rank(need))) continue;
        needs.set(need.nodeId, need);
      }
    }
    return [...needs.values()].sort((one, other) => rank(one) - rank(other));
  }
}

/** Lower is more important (KEEP-08). */
export function rank({ reason }: { readonly reason: Need['reason'] }): number {
  return NEED_REASONS.indexOf(reason);
}

function contactsOf(social: SocialService): readonly Need[] {
  return social.routes().map(({ nodeId, relation, nplus10 }) => {
    return { nodeId, reason: relation === 'audience' ? 'audience' : 'follow', nplus10 };
  });
}
