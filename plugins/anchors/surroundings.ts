import { codeOf, connectionClosed, linkSignals } from '../../kernel/index.ts';
import type { ConnectionInfo, NodeId, PeerId } from '../../kernel/index.ts';
import { peerReady } from '../mesh/api.ts';
import type { MeshService } from '../mesh/api.ts';
import type { Anchor } from './api.ts';
import type { AnchorsContext } from './context.ts';
import { anchorsErrors } from './errors.ts';

/** The transport's dial limit (15 s) for two addresses, plus the first exchange with its repeats. */
const REACH_LIMIT_MS = 45_000;

/** Nodes drawn for a witness: in a small network the first may have no other reporter than the last time's. */
const WITNESS_DRAWS = 16;

/** A stranger who may test us, and the peer that knows it (ANCH-07). */
export interface Witness {
  readonly witness: NodeId;
  readonly via: NodeId;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** The nodes around this one, as anchors sees them: who is a peer, and dials that end in a peer. */
export class Surroundings {
  readonly #anchors: AnchorsContext;
  readonly #waiters = new Map<NodeId, Set<Waiter>>();

  constructor(anchors: AnchorsContext) {
    this.#anchors = anchors;
    const { ctx, network } = anchors;
    ctx.on(peerReady, ({ peer }) => this.#settle(peer.nodeId, (waiter) => waiter.resolve()));
    ctx.on(connectionClosed, ({ peer, reason }) => {
      if (network.connectionsOf(peer.nodeId).length > 0) return;
      const error = anchorsErrors.make('exchange-missing', { node_id: peer.nodeId, reason });
      this.#settle(peer.nodeId, (waiter) => waiter.reject(error));
    });
  }

  isConnected(nodeId: NodeId): boolean {
    return this.#anchors.network.connectionsOf(nodeId).length > 0;
  }

  /** Connections that hold a mesh slot. */
  meshSize(): number {
    return this.meshConnections().length;
  }

  meshConnections(): readonly ConnectionInfo[] {
    return this.#anchors.network.connections().filter(({ kind }) => kind === 'mesh');
  }

  /** The address a peer is seen at; '' when it is not connected. */
  seenAt(peer: NodeId): string {
    return this.#anchors.network.connectionsOf(peer).at(-1)?.remoteAddr ?? '';
  }

  /** Where we dialled a peer; `[]` for one that came to us, from a port where it may not be found, or has gone. */
  dialledAt(peer: NodeId): readonly string[] {
    const dialled = this.#anchors.network.connectionsOf(peer).findLast(({ direction }) => direction === 'outbound');
    return dialled === undefined ? [] : [dialled.remoteAddr];
  }

  isPeer(nodeId: NodeId): Promise<boolean> {
    return this.#use((mesh) => mesh.isPeer(nodeId));
  }

  /** Whether the peer has a handler for the message. */
  supports(nodeId: NodeId, message: { readonly name: string }): Promise<boolean> {
    return this.#use((mesh) => mesh.supports(nodeId, message.name));
  }

  /** Where a peer was last reached or says it is, best first. */
  addresses(nodeId: NodeId): Promise<readonly string[]> {
    return this.#use((mesh) => mesh.addresses(nodeId));
  }

  /** Devices of peers with a handler for the message. */
  async takers(message: { readonly name: string }): Promise<readonly PeerId[]> {
    const peers = await this.#use((mesh) => mesh.peers());
    return peers.filter(({ features }) => features.includes(message.name)).map(({ peer }) => peer);
  }

  /** True for a node within three hops (KNOW-04). */
  async isNear(nodeId: NodeId): Promise<boolean> {
    return this.isConnected(nodeId) || (await this.#use((mesh) => mesh.layerOf(nodeId))) !== 'none';
  }

  /** A node of N2 that is not in N1, and a reporter of it other than `not` where there is one. */
  witness(not: NodeId | undefined): Promise<Witness | undefined> {
    return this.#use((mesh) => {
      let second: Witness | undefined;
      for (let draw = 0; draw < WITNESS_DRAWS; draw++) {
        const witness = mesh.randomN2();
        if (witness === undefined || this.isConnected(witness)) continue;
        const reporters = mesh.reach(witness).n2Reporters.filter((id) => this.isConnected(id));
        const via = reporters.find((id) => id !== not);
        if (via !== undefined) return { witness, via };
        if (reporters[0] !== undefined) second ??= { witness, via: reporters[0] };
      }
      return second;
    });
  }

  /** This node and its preferred peers. */
  nplus10(): Promise<readonly NodeId[]> {
    return this.#use((mesh) => mesh.nplus10());
  }

  /** Has mesh look for peers at once (CONN-16). */
  requestGrowth(): Promise<void> {
    return this.#use((mesh) => mesh.requestGrowth());
  }

  /** Names nodes of our N1 share besides connections; gives the undo. */
  contributeN1(source: () => Iterable<NodeId>): Promise<() => void> {
    return this.#use((mesh) => mesh.contributeN1(source));
  }

  n1Changed(): Promise<void> {
    return this.#use((mesh) => mesh.n1Changed());
  }

  #use<R>(ask: (mesh: MeshService) => R): Promise<Awaited<R>> {
    return this.#anchors.ctx.deps.mesh.use(ask);
  }

  /**
   * Dials the node at these addresses and waits until it is a peer. One that is connected is returned
   * to at once. A node that is only to be asked something is reached for a session, and gets no mesh slot.
   *
   * @throws transport/*, anchors/exchange-missing, clock/deadline, or the signal's reason.
   */
  async reach({ nodeId, addresses }: Anchor, signal: AbortSignal, use: 'slot' | 'session' = 'slot'): Promise<void> {
    const { ctx, network } = this.#anchors;
    const limit = linkSignals([signal, ctx.signal], { clock: ctx.clock, deadlineMs: REACH_LIMIT_MS });
    try {
      await (use === 'slot'
        ? network.dial({ nodeId, addresses }, { signal: limit.signal })
        : this.dialSession({ nodeId, addresses }, limit.signal));
      await this.#becomesPeer(nodeId, limit.signal);
    } finally {
      limit.dispose();
    }
  }

  /**
   * The same on the word of others: dials what the budget of all such dials leaves (`MeshService.chargeDials`).
   *
   * @throws anchors/over-budget, and what {@link reach} throws.
   */
  async reachTold({ nodeId, addresses }: Anchor, signal: AbortSignal, use: 'slot' | 'session' = 'slot'): Promise<void> {
    if (this.isConnected(nodeId)) return this.reach({ nodeId, addresses }, signal, use);
    const free = await this.charge(addresses);
    if (free.length === 0) throw anchorsErrors.make('over-budget', { node_id: nodeId });
    await this.reach({ nodeId, addresses: free }, signal, use);
    await this.led(nodeId);
  }

  /** Dials for a question; whoever asks closes what comes of it. @throws transport/*, the signal's reason */
  dialSession(anchor: Anchor, signal: AbortSignal): Promise<ConnectionInfo> {
    const { ctx, network } = this.#anchors;
    const dial = network.dial(anchor, { signal });
    // A mesh that is off asks for no slot either.
    this.#use((mesh) => mesh.expectSession(anchor.nodeId, dial)).catch((error) =>
      ctx.counters.add(`sessions-not-announced.${codeOf(error)}`),
    );
    return dial;
  }

  /** See `MeshService.chargeDials`. */
  charge(addresses: readonly string[]): Promise<readonly string[]> {
    return this.#use((mesh) => mesh.chargeDials(addresses));
  }

  /** A charged dial led to this node. */
  led(nodeId: NodeId): Promise<void> {
    return this.#use((mesh) => mesh.dialLed(this.seenAt(nodeId)));
  }

  async #becomesPeer(nodeId: NodeId, signal: AbortSignal): Promise<void> {
    // Waits first: the exchange may end while mesh is asked.
    const ready = this.#wait(nodeId, signal);
    ready.catch((error) => this.#anchors.ctx.counters.add(`reach-failed.${codeOf(error)}`));
    if (await this.isPeer(nodeId)) this.#settle(nodeId, (waiter) => waiter.resolve());
    else if (!this.isConnected(nodeId)) {
      const error = anchorsErrors.make('exchange-missing', { node_id: nodeId });
      this.#settle(nodeId, (waiter) => waiter.reject(error));
    }
    await ready;
  }

  #wait(nodeId: NodeId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(nodeId) ?? new Set();
      this.#waiters.set(nodeId, waiters);
      const done = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(nodeId);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: () => {
          done();
          resolve();
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

  #settle(nodeId: NodeId, tell: (waiter: Waiter) => void): void {
    for (const waiter of [...(this.#waiters.get(nodeId) ?? [])]) tell(waiter);
  }
}
