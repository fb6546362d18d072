import { kindOf } from '../demultiplex.ts';
import type { EndpointSocket, RawListener, SocketAddress } from '../transport.ts';

/** The endpoint a socket belongs to. */
export interface SocketHost {
  carry(from: MemorySocket, to: SocketAddress, datagram: Uint8Array): void;
  /** It is closed, and no connection lives on it. */
  freed(socket: MemorySocket): void;
}

/** A UDP socket of a node of the in-memory network, which is `Owner`. */
export class MemorySocket<Owner extends SocketHost = SocketHost> implements EndpointSocket {
  onDatagram: RawListener = () => false;
  readonly address: SocketAddress;
  readonly endpoint: Owner;
  #accepts = false;
  #carriesQuic = false;
  #living = 0;
  #released = false;

  constructor(endpoint: Owner, address: SocketAddress) {
    this.endpoint = endpoint;
    this.address = address;
  }

  get port(): number {
    return this.address.port;
  }

  get accepts(): boolean {
    return this.#accepts;
  }

  get closed(): boolean {
    return this.#released;
  }

  localAddresses(): readonly SocketAddress[] {
    return [this.address];
  }

  send(datagram: Uint8Array, to: SocketAddress): boolean {
    if (this.#released || to.family !== this.address.family) return false;
    this.endpoint.carry(this, to, Uint8Array.from(datagram));
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
    this.#freeIfUnused();
  }

  // What follows is for the endpoint and the network.

  enter(): void {
    this.#living++;
    this.#carriesQuic = true;
  }

  leave(): void {
    this.#living--;
    this.#freeIfUnused();
  }

  /** A datagram has arrived. False: nobody has a use for it. */
  deliver(datagram: Uint8Array, from: SocketAddress): boolean {
    // Connections do not travel in datagrams here, so what looks like one of theirs is a forgery.
    if (this.#carriesQuic && kindOf(datagram) !== 'other') return false;
    return this.onDatagram(datagram, from);
  }

  #freeIfUnused(): void {
    if (this.#released && this.#living === 0) this.endpoint.freed(this);
  }
}
