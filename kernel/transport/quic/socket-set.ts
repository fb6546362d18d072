import { socketAddress } from '../address.ts';
import { transportErrors } from '../errors.ts';
import { SOCKETS_MAX } from '../limits.ts';
import type { EndpointSocket, SocketAddress } from '../transport.ts';
import { QuicSocket, type QuicSocketDelegate } from './quic-socket.ts';
import { type SendBuffer, UdpSocket } from './udp-socket.ts';

/** The open sockets of an endpoint: the main one, and at most {@link SOCKETS_MAX} further ones. */
export class SocketSet {
  readonly main: QuicSocket;
  readonly buffer: SendBuffer;
  readonly #bind: SocketAddress | undefined;
  readonly #delegate: QuicSocketDelegate;
  readonly #further = new Set<QuicSocket>();
  #opening = 0;
  #closed = false;

  /** Takes over the main socket's `udp`, which sends from `buffer`. */
  constructor(udp: UdpSocket, buffer: SendBuffer, bind: SocketAddress | undefined, delegate: QuicSocketDelegate) {
    this.buffer = buffer;
    this.#bind = bind;
    this.#delegate = delegate;
    this.main = new QuicSocket(udp, bind, delegate);
    this.main.accept();
  }

  /** @throws transport/bind-failed, transport/too-many-sockets, transport/closed */
  async open(host: string | undefined): Promise<QuicSocket> {
    if (this.#further.size + this.#opening >= SOCKETS_MAX)
      throw transportErrors.make('too-many-sockets', { limit: SOCKETS_MAX });
    const local = host ?? this.#bind?.host;
    const bind = local === undefined ? undefined : socketAddress(local, 0);
    this.#opening++;
    const udp = await UdpSocket.open(bind, this.buffer).finally(() => this.#opening--);
    const socket = new QuicSocket(udp, bind, this.#delegate, () => this.#further.delete(socket));
    this.#further.add(socket);
    if (this.#closed) {
      await socket.shut();
      throw transportErrors.make('closed', { reason: 'shutting-down' });
    }
    return socket;
  }

  /** The socket of this endpoint that it is; the main one by default. @throws transport/closed */
  own(socket: EndpointSocket | undefined): QuicSocket {
    if (socket === undefined || socket === this.main) return this.main;
    if (socket instanceof QuicSocket && this.#further.has(socket) && !socket.closed) return socket;
    throw transportErrors.make('closed', { reason: 'the socket is closed' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.main, ...this.#further].map((socket) => socket.shut()));
  }
}
