import { BoundedMap, Type } from '../../kernel/index.ts';
import type { NodeId, Static } from '../../kernel/index.ts';

/** Nodes remembered for `peer explain`; beyond it the one longest without news goes. */
const NODES_MAX = 500;
const ATTEMPTS_MAX = 10;

export const Attempt = Type.Object({
  at_ms: Type.Integer(),
  took_ms: Type.Integer(),
  /** Why it was made: `user` (peer connect), `redial`, or the purpose for which a plugin wanted the node. */
  rule: Type.String(),
  addresses: Type.Array(Type.String()),
  /** `connected`, or an error code. */
  result: Type.String(),
});
export type Attempt = Static<typeof Attempt>;

export const NodeHistory = Type.Object({
  attempts: Type.Array(Attempt),
  last_exchange: Type.Optional(Type.Object({ at_ms: Type.Integer(), result: Type.String() })),
  last_close: Type.Optional(Type.Object({ at_ms: Type.Integer(), reason: Type.String(), by_peer: Type.Boolean() })),
});
export type NodeHistory = Static<typeof NodeHistory>;

/** What happened with each node of late, so that `peer explain` can say why it is not here. */
export class History {
  readonly #nodes = new BoundedMap<NodeId, NodeHistory>(NODES_MAX);

  get(nodeId: NodeId): NodeHistory | undefined {
    return this.#nodes.get(nodeId);
  }

  attempted(nodeId: NodeId, attempt: Attempt): void {
    const node = this.#touch(nodeId);
    node.attempts = [...node.attempts, attempt].slice(-ATTEMPTS_MAX);
  }

  handshakeEnded(nodeId: NodeId, atMs: number, result: string): void {
    this.#touch(nodeId).last_exchange = { at_ms: atMs, result };
  }

  closed(nodeId: NodeId, atMs: number, reason: string, byPeer: boolean): void {
    this.#touch(nodeId).last_close = { at_ms: atMs, reason, by_peer: byPeer };
  }

  snapshot(): Record<string, NodeHistory> {
    return Object.fromEntries(this.#nodes);
  }

  restore(nodes: Record<string, NodeHistory>): void {
    for (const [nodeId, node] of Object.entries(nodes)) this.#nodes.set(nodeId as NodeId, node);
  }

  #touch(nodeId: NodeId): NodeHistory {
    const node = this.#nodes.get(nodeId) ?? { attempts: [] };
    this.#nodes.set(nodeId, node);
    return node;
  }
}
