import type { RemoteInfo } from 'node:dgram';
import { socketAddress } from '../address.ts';
import { kindOf } from '../demultiplex.ts';
import type { EndpointSocket, RawListener, SocketAddress } from '../transport.ts';
import { localAddresses } from './local-addresses.ts';
import type { UdpSocket } from './udp-socket.ts';

/** What a socket needs of its endpoint. */
export interface QuicSocketDelegate {
  onQuic(
    socket: QuicSocket,
    kind: 'short-header' | 'long-header' | 'path-probe',
    datagram: Buffer,
    from: RemoteInfo,
  ): void;
  onGarbage(): void;
}

/** One UDP socket of an endpoint, and which connections live on it. */
export class QuicSocket implements EndpointSocket {
  onDatagram: RawListener = () => false;
  readonly udp: UdpSocket;
  /** quiche's name for this end of the paths that go through here. */
  readonly local: { readonly host: string; readonly port: number };
  readonly #delegate: QuicSocketDelegate;
  readonly #bind: SocketAddress | undefined;
  readonly #onShut: () => void;
  #accepts = false;
  #carriesQuic = false;
  #living = 0;
  #released = false;
  #closing: Promise<void> | undefined;

  constructor(udp: UdpSocket, bind: SocketAddress | undefined, delegate: QuicSocketDelegate, onShut = (): void => {}) {
    this.udp = udp;
    this.local = { host: '0.0.0.0', port: udp.port };
    this.#bind = bind;
    this.#delegate = delegate;
    this.#onShut = onShut;
    udp.onDatagram = (datagram, from) => this.#receive(datagram, from);
  }

  get port(): number {
    return this.udp.port;
  }

  get accepts(): boolean {
    return this.#accepts;
  }

  get closed(): boolean {
    return this.#released;
  }

  localAddresses(): readonly SocketAddress[] {
    return localAddresses(this.#bind, this.port, this.udp.family);
  }

  send(datagram: Uint8Array, to: SocketAddress): boolean {
    const host = this.#released ? undefined : this.udp.systemHost(to);
    if (host === undefined) return false;
    // The system may hold the bytes for longer than the caller does.
    this.udp.send(Buffer.from(datagram), datagram.length, host, to.port);
    return true;
  }

  accept(): void {
    this.#accepts = true;
    this.#carriesQuic = true;
  }

  close(): void {
    this.#released = true;
    this.#accepts = false;
    this.onDatagram = () => false;
    if (this.#living === 0) void this.shut();
  }

  // What follows is for the endpoint.

  /** A connection begins to live here. */
  enter(): void {
    this.#living++;
    this.#carriesQuic = true;
  }

  leave(): void {
    this.#living--;
    if (this.#living === 0 && this.#released) void this.shut();
  }

  /** Frees the port, whoever lives here. */
  shut(): Promise<void> {
    this.#released = true;
    this.#closing ??= this.udp.close().finally(this.#onShut);
    return this.#closing;
  }

  #receive(datagram: Buffer, from: RemoteInfo): void {
    const kind = this.#carriesQuic ? kindOf(datagram) : 'other';
    if (kind === 'garbage') this.#delegate.onGarbage();
    else if (kind !== 'other') this.#delegate.onQuic(this, kind, datagram, from);
    else if (!this.onDatagram(datagram, socketAddress(from.address, from.port))) this.#delegate.onGarbage();
  }
}
