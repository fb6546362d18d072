import type { NodeId } from '../../kernel/index.ts';

/**
 * What nodes are being connected to for, while that is under way: it decides whether the handshake asks
 * for a mesh slot, and whether a connection may be closed again. A connection that nobody here is making
 * has no purpose.
 */
export class DialPurposes {
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

  /** `[]` when nobody is connecting to the node. */
  of(nodeId: NodeId): readonly string[] {
    return this.#purposes.get(nodeId) ?? [];
  }
}
