import type { NodeId } from '../../kernel/index.ts';
import type { HoldingSource } from './api.ts';
import { FINDINGS_MAX } from './search-world.ts';

/** WORM-07: hosts of one post that are looked at. */
const DOWNSTREAM_MAX = 100;

/** What this node knows of content, by the plugins that keep it (WORM-07). */
export class Holdings {
  readonly #sources = new Set<HoldingSource>();

  add(source: HoldingSource): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  kinds(): string[] {
    return [...new Set([...this.#sources].map(({ kind }) => kind))].sort();
  }

  /** True when this node may serve it to anybody. */
  holds(kind: 'post' | 'blob', id: string): boolean {
    return this.#of(kind).some((source) => source.holds(id));
  }

  /** Others that hold it, a few of them. */
  holders(kind: 'post' | 'blob', id: string): readonly NodeId[] {
    const all = this.#of(kind).flatMap((source) => source.holders(id).slice(0, DOWNSTREAM_MAX));
    return [...new Set(all)].slice(0, FINDINGS_MAX);
  }

  /** Gets it from a connected node; false when that node does not have it, or nobody here knows how to ask. */
  async fetch(kind: 'post' | 'blob', id: string, holder: NodeId, signal: AbortSignal): Promise<boolean> {
    for (const source of this.#of(kind)) {
      if (await source.fetch(id, holder, { signal })) return true;
    }
    return false;
  }

  #of(kind: 'post' | 'blob'): readonly HoldingSource[] {
    return [...this.#sources].filter((source) => source.kind === kind);
  }
}
