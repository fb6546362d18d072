import type { NodeId } from '../../../kernel/index.ts';
import { SLOT_PURPOSES } from '../api.ts';

/**
 * What nodes are being connected to for, while that is under way: it decides whether the exchange asks
 * for a mesh slot. A dial that names no purpose asks for one; it is how a mesh begins.
 */
export class Intents {
  /** Purposes of the calls under way, which their callers bound. */
  readonly #purposes = new Map<NodeId, string[]>();

  async during<R>(nodeId: NodeId, purpose: string, work: () => Promise<R>): Promise<R> {
    const purposes = this.#purposes.get(nodeId) ?? [];
    this.#purposes.set(nodeId, purposes);
    purposes.push(purpose);
    try {
      return await work();
    } finally {
      purposes.splice(purposes.indexOf(purpose), 1);
      if (purposes.length === 0) this.#purposes.delete(nodeId);
    }
  }

  wantsSlot(nodeId: NodeId): boolean {
    const purposes = this.#purposes.get(nodeId);
    return purposes === undefined || purposes.some((purpose) => SLOT_PURPOSES.has(purpose));
  }

  /** True while somebody connects to the node, for whatever it is. */
  isWanted(nodeId: NodeId): boolean {
    return this.#purposes.has(nodeId);
  }

  /** True while somebody connects to the node for anything but a slot. */
  hasOtherUse(nodeId: NodeId): boolean {
    return this.#purposes.get(nodeId)?.some((purpose) => !SLOT_PURPOSES.has(purpose)) ?? false;
  }
}
