import { BoundedMap, Type } from '../../kernel/index.ts';
import type { Static } from '../../kernel/index.ts';

/** WORM_DEDUP. */
export const WORM_DEDUP_MS = 10_000;
/** Searches remembered; beyond it the oldest is forgotten. A hundred a second is far above what a mesh carries. */
const SEEN_MAX = 4_096;

export const SeenState = Type.Array(Type.Object({ id: Type.String(), atMs: Type.Number(), relayed: Type.Boolean() }), {
  maxItems: SEEN_MAX,
});
export type SeenState = Static<typeof SeenState>;

/** Which searches were handled of late, so that none goes round in a circle (WORM-09). */
export class Seen {
  readonly #searches = new BoundedMap<string, { readonly atMs: number; relayed: boolean }>(SEEN_MAX);

  get size(): number {
    return this.#searches.size;
  }

  /** True the first time a search comes in WORM_DEDUP_MS. */
  handle(id: string, nowMs: number): boolean {
    this.#expire(nowMs);
    if (this.#searches.has(id)) return false;
    this.#searches.set(id, { atMs: nowMs, relayed: false });
    return true;
  }

  /** True the first time a handled search is to be relayed. */
  relay(id: string): boolean {
    const search = this.#searches.get(id);
    if (search === undefined || search.relayed) return false;
    search.relayed = true;
    return true;
  }

  snapshot(): SeenState {
    return [...this.#searches].map(([id, { atMs, relayed }]) => ({ id, atMs, relayed }));
  }

  restore(state: SeenState): void {
    for (const { id, atMs, relayed } of state) this.#searches.set(id, { atMs, relayed });
  }

  #expire(nowMs: number): void {
    for (const [id, { atMs }] of this.#searches) {
      if (nowMs - atMs < WORM_DEDUP_MS) break;
      this.#searches.delete(id);
    }
  }
}
