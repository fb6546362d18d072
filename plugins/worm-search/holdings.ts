import type { Contribution, NodeId } from '../../kernel/index.ts';
import { HOLDINGS } from './api.ts';
import type { HoldingSource } from './api.ts';
import type { WormContext } from './context.ts';
import { FINDINGS_MAX } from './search-world.ts';

/** What this node knows of content, by the plugins that keep it (WORM-07). */
export class Holdings {
  readonly #ctx: WormContext;

  constructor(ctx: WormContext) {
    this.#ctx = ctx;
  }

  kinds(): string[] {
    const kinds = this.#ctx.contributions(HOLDINGS).map((source) => source.ask(({ kind }) => kind, 'post'));
    return [...new Set(kinds)].sort();
  }

  /** True when this node may serve it to anybody. */
  holds(kind: 'post' | 'blob', id: string): boolean {
    return this.#of(kind).some((source) => source.ask((held) => held.holds(id), false));
  }

  /** Others that hold it, a few of them. */
  holders(kind: 'post' | 'blob', id: string): readonly NodeId[] {
    const all = this.#of(kind).flatMap((source) => source.ask((held) => held.holders(id), []));
    return [...new Set(all)].slice(0, FINDINGS_MAX);
  }

  /** Gets it from a connected node; false when that node does not have it, or nobody here knows how to ask. */
  async fetch(kind: 'post' | 'blob', id: string, holder: NodeId, signal: AbortSignal): Promise<boolean> {
    for (const source of this.#of(kind)) {
      if (await source.use((held, own) => held.fetch(id, holder, { signal: own }), { signal, restart: true }))
        return true;
    }
    return false;
  }

  #of(kind: 'post' | 'blob'): readonly Contribution<HoldingSource>[] {
    return this.#ctx.contributions(HOLDINGS).filter((source) => source.ask((held) => held.kind === kind, false));
  }
}
