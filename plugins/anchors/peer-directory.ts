import { linkSignals } from '../../kernel/index.ts';
import type { ConnectionInfo, NodeId, PeerId } from '../../kernel/index.ts';
import type { DialLimits, PeerInfo, PeersService, Told } from '../peers/api.ts';
import type { Anchor } from './api.ts';
import type { AnchorsContext } from './context.ts';

/** The transport's dial limit (15 s) for two addresses, plus the handshake with its repeats. */
const REACH_LIMIT_MS = 45_000;

/** Nodes drawn for a witness: in a small network the first may have no other reporter than the last time's. */
const WITNESS_DRAWS = 16;

/** A stranger who may test us, and the peer that knows it (ANCH-07). */
export interface Witness {
  readonly witness: NodeId;
  readonly via: NodeId;
}

/** Where an anchor, or who it told of, may be dialled; and whose word that is, unless it is our own. */
export interface Place extends Anchor {
  readonly told?: Omit<Told, 'addresses'>;
}

/** The nodes around this one, as anchors sees them: who is a peer, and dials that end in a peer. */
export class PeerDirectory {
  readonly #anchors: AnchorsContext;

  constructor(anchors: AnchorsContext) {
    this.#anchors = anchors;
  }

  isConnected(nodeId: NodeId): boolean {
    return this.#anchors.network.connectionsOf(nodeId).length > 0;
  }

  /** Connections that hold a mesh slot. */
  meshSize(): number {
    return this.#anchors.network.countOf('mesh');
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
    return this.#peers((peers) => peers.isPeer(nodeId));
  }

  /** Whether the peer has a handler for the message. */
  supports(nodeId: NodeId, message: { readonly name: string }): Promise<boolean> {
    return this.#peers((peers) => peers.supports(nodeId, message.name));
  }

  /** Where a peer was last reached or says it is, best first. */
  addresses(nodeId: NodeId): Promise<readonly string[]> {
    return this.#peers((peers) => peers.addresses(nodeId));
  }

  /** Devices of peers with a handler for the message. */
  async takers(message: { readonly name: string }): Promise<readonly PeerId[]> {
    const peers = await this.#peers((service) => service.peers());
    return peers.filter(({ features }) => features.includes(message.name)).map(({ peer }) => peer);
  }

  /** True for a node within three hops (KNOW-04). */
  async isNear(nodeId: NodeId): Promise<boolean> {
    return this.isConnected(nodeId) || (await this.#routing.use((routing) => routing.layerOf(nodeId))) !== 'none';
  }

  /** A node of N2 that is not in N1, and a reporter of it other than `not` where there is one. */
  witness(not: NodeId | undefined): Promise<Witness | undefined> {
    return this.#routing.use((routing) => {
      let second: Witness | undefined;
      for (let draw = 0; draw < WITNESS_DRAWS; draw++) {
        const witness = routing.randomN2();
        if (witness === undefined || this.isConnected(witness)) continue;
        const reporters = routing.reach(witness).n2Reporters.filter((id) => this.isConnected(id));
        const via = reporters.find((id) => id !== not);
        if (via !== undefined) return { witness, via };
        if (reporters[0] !== undefined) second ??= { witness, via: reporters[0] };
      }
      return second;
    });
  }

  /** This node and its preferred peers. */
  nplus10(): Promise<readonly NodeId[]> {
    return this.#anchors.ctx.deps.mesh.use((mesh) => mesh.nplus10());
  }

  /** Has mesh look for peers at once (CONN-16). */
  requestGrowth(): Promise<void> {
    return this.#anchors.ctx.deps.mesh.use((mesh) => mesh.requestGrowth());
  }

  n1Changed(): Promise<void> {
    return this.#routing.use((routing) => routing.n1Changed());
  }

  #peers<R>(ask: (peers: PeersService) => R): Promise<Awaited<R>> {
    return this.#anchors.ctx.deps.peers.use(ask);
  }

  get #routing() {
    return this.#anchors.ctx.deps.routing;
  }

  /**
   * Resolves when the node is a peer: dialled where we know it to be, or where `told` says that it is. A
   * purpose that is one of mesh's own asks for a slot.
   *
   * @throws what `PeersService.connect` throws
   */
  async reach({ nodeId, addresses, told }: Place, purpose: string, signal: AbortSignal): Promise<PeerInfo> {
    const { ctx } = this.#anchors;
    const limit = linkSignals([signal, ctx.signal], { clock: ctx.clock, deadlineMs: REACH_LIMIT_MS });
    const where = told === undefined ? { at: addresses } : { told: { ...told, addresses } };
    const request = { nodeId, ...where, purpose };
    try {
      return await ctx.deps.peers.use((peers, own) => peers.connect({ ...request, signal: own }), {
        signal: limit.signal,
        restart: true,
      });
    } finally {
      limit.dispose();
    }
  }

  /** See `PeersService.mayHaveDialled`. */
  mayHaveDialled(address: string, limits: DialLimits): Promise<boolean> {
    return this.#peers((peers) => peers.mayHaveDialled(address, limits));
  }
}
