import { Type } from '../../kernel/index.ts';
import type { NodeId, PeerId, Static } from '../../kernel/index.ts';

/** What mesh knows of one live connection beyond what the kernel knows. */
export const Link = Type.Object({
  connectionId: Type.Integer(),
  nodeId: Type.String(),
  deviceId: Type.String(),
  direction: Type.Union([Type.Literal('inbound'), Type.Literal('outbound')]),
  /** `waiting`: the peer is to send the exchange. `asking`: we are. `ready`: it is a peer. */
  state: Type.Union([Type.Literal('waiting'), Type.Literal('asking'), Type.Literal('ready')]),
  openedAtMs: Type.Integer(),
  /** When it became a peer. */
  readyAtMs: Type.Integer(),
  protocol: Type.Integer(),
  features: Type.Array(Type.String()),
  featuresRevision: Type.Integer(),
  /** The revision of our own features this peer was last told. */
  toldRevision: Type.Integer(),
  /** How the peer sees us: an outside view of our own address. */
  observedAddr: Type.String(),
  keepAliveDueMs: Type.Integer(),
  /** Names of sections this peer has been told. */
  sectionsSent: Type.Array(Type.String()),
  /** The node and its preferred peers, as it said last. */
  nplus10: Type.Array(Type.String()),
  /** A slot is kept free for it while our exchange asks for one. */
  slotReserved: Type.Boolean(),
  holdsSlot: Type.Boolean(),
  /** 0 when it never was. */
  slotRefusedAtMs: Type.Integer(),
  /** Two peers made room for it, and do not give it up for the next. */
  cameByHandover: Type.Boolean(),
  /** We asked for a slot and may be sent to somebody else. */
  redirectDue: Type.Boolean(),
});
export type Link = Static<typeof Link>;

interface Waiter {
  resolve(link: Link): void;
  reject(error: unknown): void;
}

/** The live connections by their stable id (MESH-10), and who waits for one to become a peer. */
export class Links {
  readonly #links = new Map<number, Link>();
  readonly #waiters = new Map<number, Set<Waiter>>();

  get size(): number {
    return this.#links.size;
  }

  all(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** The same without a copy, for who changes nothing meanwhile. */
  values(): Iterable<Link> {
    return this.#links.values();
  }

  get(connectionId: number): Link | undefined {
    return this.#links.get(connectionId);
  }

  add(link: Link): void {
    this.#links.set(link.connectionId, link);
  }

  ready(): readonly Link[] {
    return this.all().filter((link) => link.state === 'ready');
  }

  readyOf(nodeId: NodeId): readonly Link[] {
    return this.ready().filter((link) => link.nodeId === nodeId);
  }

  /** Tells those who wait in {@link whenReady}. */
  settle(link: Link): void {
    const waiters = this.#waiters.get(link.connectionId);
    this.#waiters.delete(link.connectionId);
    for (const waiter of waiters ?? []) waiter.resolve(link);
  }

  /** Takes the link out; those who wait for it get the error. */
  remove(connectionId: number, errorOf: () => unknown): Link | undefined {
    const link = this.#links.get(connectionId);
    this.#links.delete(connectionId);
    const waiters = this.#waiters.get(connectionId);
    this.#waiters.delete(connectionId);
    if (waiters !== undefined && waiters.size > 0) {
      const error = errorOf();
      for (const waiter of waiters) waiter.reject(error);
    }
    return link;
  }

  /** Resolves when the connection has finished its exchange; rejects when it ends first or `signal` aborts. */
  whenReady(connectionId: number, signal: AbortSignal): Promise<Link> {
    const link = this.#links.get(connectionId);
    if (link?.state === 'ready') return Promise.resolve(link);
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(connectionId) ?? new Set();
      this.#waiters.set(connectionId, waiters);
      const done = (): void => {
        waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: (ready) => {
          done();
          resolve(ready);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal.reason);
      waiters.add(waiter);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

export function peerOf(link: Link): PeerId {
  return { nodeId: link.nodeId, deviceId: link.deviceId } as PeerId;
}
