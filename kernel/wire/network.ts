import type { NodeId, PeerId } from '../sdk/identifiers.ts';
import type { AnyMessage, BodyOf, ResponseOf } from '../sdk/message.ts';
import { CLOSE_CODES, connectionClosed, connectionOpened } from '../sdk/network.ts';
import type { CloseReason, ConnectionInfo, ConnectionKind, DialTarget } from '../sdk/network.ts';
import type { AddressBlock } from '../sdk/kit/block-shares.ts';
import type { SendOptions } from '../sdk/plugin.ts';
import { addressBlocks, type BlocksOf } from '../transport/address-blocks.ts';
import { formatAddress, isDialable, resolveAddress } from '../transport/address.ts';
import type { CloseInfo, Connection, Endpoint, EndpointSocket, SocketAddress } from '../transport/transport.ts';
import { wireErrors } from './errors.ts';
import { SHARED_STREAMS } from './shared/capsule.ts';
import type { Attachment, NetworkDeps, NetworkHost } from './wire.ts';

/** Addresses of one dial target, after DNS; a target with more is cut. */
const DIAL_ADDRESSES_MAX = 32;
const NO_FEATURES: ReadonlySet<string> = new Set();

export function createNetwork(deps: NetworkDeps): NetworkHost {
  return new WireNetwork(deps);
}

interface Entry {
  readonly connection: Connection;
  readonly attachment: Attachment;
  kind: ConnectionKind;
  /** `remote` as text: asked for all the time, and seldom another. */
  remote: SocketAddress | undefined;
  remoteAddr: string;
}

class WireNetwork implements NetworkHost {
  readonly #deps: NetworkDeps;
  /** By the connection's stable id, oldest first (MESH-10); the endpoint caps their number. */
  readonly #entries = new Map<number, Entry>();
  /** The same by identity, so that a send does not look at every connection. */
  readonly #byNode = new Map<NodeId, Set<Entry>>();
  readonly #blocksOf: BlocksOf;
  readonly #keepers = new Set<(nodeId: NodeId) => boolean>();
  #endpoint: Endpoint | undefined;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
    this.#blocksOf = addressBlocks(deps.sharesExcept, deps.treatAsPublic);
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  get self(): PeerId {
    return this.#deps.credentials.self;
  }

  get port(): number {
    return this.#endpoint?.port ?? 0;
  }

  async listen(): Promise<void> {
    const { transport, credentials, bind, limits, onDatagram } = this.#deps;
    this.#endpoint = await transport.open({
      credentials,
      onConnection: (connection) => this.#opened(connection),
      blocksOf: this.#blocksOf,
      isKept: (nodeId) => this.#isKept(nodeId),
      ...(bind && { bind }),
      ...(limits && { limits }),
    });
    if (onDatagram !== undefined) this.#endpoint.socket.onDatagram = onDatagram;
  }

  localAddresses(): readonly string[] {
    const found = this.#endpoint?.localAddresses().map(formatAddress) ?? [];
    return [...new Set([...(this.#deps.advertise ?? []), ...found])];
  }

  dial(target: DialTarget, options: { signal?: AbortSignal } = {}): Promise<ConnectionInfo> {
    return this.#dial(target, options, {});
  }

  dialFrom(
    socket: EndpointSocket,
    target: DialTarget,
    options: { signal?: AbortSignal } = {},
  ): Promise<ConnectionInfo> {
    return this.#dial(target, options, { from: socket });
  }

  async #dial(
    target: DialTarget,
    options: { signal?: AbortSignal },
    origin: { readonly from?: EndpointSocket },
  ): Promise<ConnectionInfo> {
    if (this.#endpoint === undefined) throw wireErrors.make('closed');
    const existing = target.nodeId === undefined ? undefined : this.#newest(target.nodeId);
    if (existing !== undefined) return this.#describe(existing);
    const resolved = await Promise.allSettled(target.addresses.slice(0, DIAL_ADDRESSES_MAX).map(resolveAddress));
    options.signal?.throwIfAborted();
    const addresses: SocketAddress[] = resolved.flatMap((result) =>
      result.status === 'fulfilled' ? result.value : [],
    );
    const failed = resolved.find((result) => result.status === 'rejected');
    if (addresses.length === 0 && failed !== undefined) throw failed.reason;
    const expected = target.nodeId === undefined ? {} : { expect: target.nodeId };
    const connection = await this.#endpoint.dial(
      { addresses: addresses.slice(0, DIAL_ADDRESSES_MAX), ...expected, ...origin },
      options.signal,
    );
    const entry = this.#entries.get(connection.id);
    if (entry === undefined) throw wireErrors.make('not-connected', { peer: connection.peer.nodeId });
    return this.#describe(entry);
  }

  connections(): readonly ConnectionInfo[] {
    return [...this.#entries.values()].map((entry) => this.#describe(entry));
  }

  countOf(kind: ConnectionKind): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.kind === kind) count++;
    return count;
  }

  connection(id: number): ConnectionInfo | undefined {
    const entry = this.#entries.get(id);
    return entry && this.#describe(entry);
  }

  kindOf(id: number): ConnectionKind | undefined {
    return this.#entries.get(id)?.kind;
  }

  lastActivityMsOf(id: number): number | undefined {
    return this.#entries.get(id)?.attachment.lastActivityMs;
  }

  connectionsOf(nodeId: NodeId): readonly ConnectionInfo[] {
    return [...(this.#byNode.get(nodeId) ?? [])].map((entry) => this.#describe(entry));
  }

  setKind(id: number, kind: ConnectionKind): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.kind = kind;
  }

  featuresOf(id: number): ReadonlySet<string> {
    return this.#entries.get(id)?.attachment.features ?? NO_FEATURES;
  }

  setFeaturesOf(id: number, features: readonly string[]): void {
    const attachment = this.#entries.get(id)?.attachment;
    if (attachment !== undefined) attachment.features = new Set(features);
  }

  close(id: number, reason: CloseReason): void {
    this.#entries.get(id)?.connection.close(CLOSE_CODES[reason], reason);
  }

  mayDial(address: string, toldFrom: string): boolean {
    return isDialable(address, toldFrom, this.#deps.treatAsPublic);
  }

  blocksOf(address: string): readonly AddressBlock[] {
    return this.#blocksOf(address);
  }

  keepPlaces(isKept: (nodeId: NodeId) => boolean, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#keepers.add(isKept);
    signal.addEventListener('abort', () => this.#keepers.delete(isKept), { once: true });
  }

  features(): readonly string[] {
    return [...this.#deps.features(), SHARED_STREAMS].sort();
  }

  sendTo<M extends AnyMessage>(
    peer: NodeId | PeerId,
    message: M,
    body: BodyOf<M>,
    options: SendOptions = {},
  ): Promise<ResponseOf<M>> {
    const nodeId = typeof peer === 'string' ? peer : peer.nodeId;
    const deviceId = typeof peer === 'string' ? undefined : peer.deviceId;
    const entry = this.#newest(nodeId, deviceId, options.connectionId);
    if (entry === undefined) {
      return Promise.reject(wireErrors.make('not-connected', { name: message.name, peer: nodeId }));
    }
    return this.#deps.dispatcher.send(entry.connection, message, body, options);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#endpoint?.counters() ?? {};
  }

  async shutdown(): Promise<void> {
    await this.#endpoint?.close();
    for (const { connection } of [...this.#entries.values()]) {
      this.#closed(
        connection,
        connection.closed ?? { byPeer: false, code: CLOSE_CODES['shutting-down'], reason: 'shutting-down' },
      );
    }
  }

  #isKept(nodeId: NodeId): boolean {
    for (const isKept of this.#keepers) {
      try {
        if (isKept(nodeId)) return true;
      } catch {
        // Whoever cannot say it now keeps no place: the connection is judged as a stranger's.
      }
    }
    return false;
  }

  /** The newest live connection; ids grow with time. */
  #newest(nodeId: NodeId, deviceId?: string, id?: number): Entry | undefined {
    let newest: Entry | undefined;
    for (const entry of this.#byNode.get(nodeId) ?? []) {
      const { peer, closed } = entry.connection;
      if (closed !== undefined) continue;
      if (deviceId !== undefined && peer.deviceId !== deviceId) continue;
      if (id !== undefined && entry.connection.id !== id) continue;
      newest = entry;
    }
    return newest;
  }

  #opened(connection: Connection): void {
    connection.onClose = (info) => this.#closed(connection, info);
    const attachment = this.#deps.dispatcher.attach(connection, {
      blocks: this.#blocksOf(formatAddress(connection.remote)),
      kept: this.#isKept(connection.peer.nodeId),
    });
    if (connection.closed !== undefined) {
      // A peer with too many misbehaviour points was closed as it came: nobody needs to hear of it.
      this.#deps.dispatcher.detach(connection);
      return;
    }
    const entry: Entry = { connection, attachment, kind: 'ephemeral', remote: undefined, remoteAddr: '' };
    this.#entries.set(connection.id, entry);
    const { nodeId } = connection.peer;
    this.#byNode.set(nodeId, (this.#byNode.get(nodeId) ?? new Set()).add(entry));
    this.#deps.bus.publish(connectionOpened, this.#describe(entry));
  }

  #closed(connection: Connection, info: CloseInfo): void {
    const entry = this.#entries.get(connection.id);
    if (entry === undefined) return;
    this.#entries.delete(connection.id);
    const ofNode = this.#byNode.get(connection.peer.nodeId);
    ofNode?.delete(entry);
    if (ofNode?.size === 0) this.#byNode.delete(connection.peer.nodeId);
    const last = this.#describe(entry);
    this.#deps.dispatcher.detach(connection);
    this.#deps.bus.publish(connectionClosed, Object.freeze({ ...last, reason: info.reason, byPeer: info.byPeer }));
  }

  #describe(entry: Entry): ConnectionInfo {
    const { connection, attachment, kind } = entry;
    const { bytesIn, bytesOut, rttMs } = connection.stats();
    const { remote } = connection;
    if (entry.remote !== remote) {
      entry.remote = remote;
      entry.remoteAddr = formatAddress(remote);
    }
    return Object.freeze({
      id: connection.id,
      peer: connection.peer,
      direction: connection.direction,
      kind,
      remoteAddr: entry.remoteAddr,
      connectedAtMs: connection.openedAtMs,
      lastActivityMs: attachment.lastActivityMs,
      bytesIn,
      bytesOut,
      rttMs,
    });
  }
}
