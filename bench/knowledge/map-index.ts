import type { NodeId } from '../../kernel/index.ts';

/** The obvious way to keep N3: a Map of each id to the Set of its reporters. What the bench compares with. */
export class MapIndex {
  readonly #reporters = new Map<NodeId, Set<NodeId>>();

  layerOf(id: NodeId): 'n3' | 'none' {
    return this.#reporters.has(id) ? 'n3' : 'none';
  }

  add(reporter: NodeId, ids: readonly NodeId[]): void {
    for (const id of ids) {
      const known = this.#reporters.get(id);
      if (known === undefined) this.#reporters.set(id, new Set([reporter]));
      else known.add(reporter);
    }
  }

  remove(reporter: NodeId, ids: readonly NodeId[]): void {
    for (const id of ids) this.#take(reporter, id);
  }

  drop(reporter: NodeId): void {
    for (const id of this.#reporters.keys()) this.#take(reporter, id);
  }

  #take(reporter: NodeId, id: NodeId): void {
    const known = this.#reporters.get(id);
    if (known?.delete(reporter) === true && known.size === 0) this.#reporters.delete(id);
  }
}
