import { NodeIdSchema, Type } from '../../../kernel/index.ts';
import type { Static } from '../../../kernel/index.ts';
import type { Attempt } from './attempt.ts';

/** Leads waiting, and those of one teller; more are not taken. */
const LEADS_MAX = 64;
const LEADS_OF_ONE_MAX = 4;

/** What a swap hands over: a slot may have been given up for one of them. */
export const LeadsState = Type.Array(
  Type.Object({
    nodeId: NodeIdSchema,
    why: Type.Union([Type.Literal('offered'), Type.Literal('redirect')]),
    addresses: Type.Array(Type.String()),
    from: NodeIdSchema,
    redirects: Type.Integer(),
  }),
);
export type LeadsState = Static<typeof LeadsState>;

/** Nodes that somebody told us to try, in their order. */
export class CandidateQueue {
  readonly #waiting: Attempt[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** False for one that waits already, and when there are too many. */
  add(pick: Attempt): boolean {
    if (this.#waiting.some(({ nodeId }) => nodeId === pick.nodeId)) return false;
    const ofOne = this.#waiting.filter(({ lead }) => lead?.from === pick.lead?.from).length;
    if (this.#waiting.length >= LEADS_MAX || ofOne >= LEADS_OF_ONE_MAX) return false;
    this.#waiting.push(pick);
    return true;
  }

  snapshot(): LeadsState {
    return this.#waiting.flatMap(({ nodeId, why, lead, redirects }) => {
      if (why === 'candidate' || lead === undefined) return [];
      return [{ nodeId, why, addresses: [...lead.addresses], from: lead.from, redirects }];
    });
  }

  restore(leads: LeadsState): void {
    for (const { nodeId, why, addresses, from, redirects } of leads) {
      this.add({ nodeId, why, score: 0, lead: { nodeId, addresses, from }, redirects });
    }
  }

  /** The next that is not out of the question by now; those before it are dropped. */
  take(isOut: (pick: Attempt) => boolean): Attempt | undefined {
    for (let pick = this.#waiting.shift(); pick !== undefined; pick = this.#waiting.shift()) {
      if (!isOut(pick)) return pick;
    }
    return undefined;
  }
}
