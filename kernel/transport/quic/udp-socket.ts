import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { transportErrors } from '../errors.ts';
import type { SocketAddress } from '../transport.ts';
import type { DatagramPath } from './datagram-path.ts';
import { isLong, largestDatagram, windowUnit } from './path-mtu-discovery.ts';

/** Asked for; the system gives what its own limit allows. A turn of the event loop must fit in. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
const SEND_BUFFER_BYTES = 65_536;
const CLOSE_WAIT_MS = 1_000;
const CLOSE_POLL_MS = 5;

/** Where the datagrams of an endpoint are built: one buffer for all its sockets and connections. */
export class SendBuffer {
  bytes: Uint8Array = Buffer.allocUnsafeSlow(SEND_BUFFER_BYTES);

  /** Another one takes its place while the system still holds the last. */
  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(SEND_BUFFER_BYTES);
  }
}

/** A UDP socket: one for IPv4 and IPv6 where the system has both. */
export class UdpSocket {
  readonly port: number;
  readonly family: 4 | 6;
  onDatagram: (datagram: Buffer, from: RemoteInfo) => void = () => {};
  readonly #socket: Socket;
  readonly #sendBuffer: SendBuffer;

  private constructor(socket: Socket, family: 4 | 6, sendBuffer: SendBuffer) {
    this.#socket = socket;
    this.#sendBuffer = sendBuffer;
    this.family = family;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => this.onDatagram(datagram, from));
    // What the network answers to a datagram (ICMP) is no reason to stop: QUIC times out by itself.
    socket.on('error', () => {});
  }

  /** @throws transport/bind-failed */
  static async open(bind: SocketAddress | undefined, sendBuffer: SendBuffer): Promise<UdpSocket> {
    if (bind !== undefined && bind.host !== '::') return UdpSocket.#bind(bind.family, bind.host, bind.port, sendBuffer);
    try {
      return await UdpSocket.#bind(6, '::', bind?.port ?? 0, sendBuffer);
    } catch (error) {
      const reason = (error as { data?: { reason?: unknown } }).data?.reason;
      if (reason !== 'EAFNOSUPPORT' && reason !== 'EADDRNOTAVAIL' && reason !== 'EINVAL') throw error;
      return UdpSocket.#bind(4, '0.0.0.0', bind?.port ?? 0, sendBuffer);
    }
  }

  static async #bind(family: 4 | 6, address: string, port: number, sendBuffer: SendBuffer): Promise<UdpSocket> {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Addresses here are IP addresses already; Node's own look-up would cost each datagram a tick.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close();
        reject(
          transportErrors.make(
            'bind-failed',
            { address: `${address}:${port}`, reason: error.code ?? error.message },
            error,
          ),
        );
      });
      socket.bind({ address, port }, resolve);
    });
    socket.removeAllListeners('error');
    grow((bytes) => socket.setRecvBufferSize(bytes));
    grow((bytes) => socket.setSendBufferSize(bytes));
    return new UdpSocket(socket, family, sendBuffer);
  }

  /** The way to a remote, or undefined when this socket's family cannot reach it. */
  path(remote: SocketAddress): DatagramPath | undefined {
    const host = this.systemHost(remote);
    return host === undefined ? undefined : new SocketPath(this, remote, host);
  }

  /** The remote as the system writes it on this socket: IPv4 is mapped on a dual-stack one. */
  systemHost(remote: SocketAddress): string | undefined {
    if (this.family === remote.family) return remote.host;
    return this.family === 6 ? `::ffff:${remote.host}` : undefined;
  }

  send(buffer: Uint8Array, length: number, host: string, port: number): void {
    this.#socket.send(buffer, 0, length, port, host);
    // Usually the system took it at once; if not, libuv still reads from this memory.
    if (buffer === this.#sendBuffer.bytes && this.#socket.getSendQueueCount() > 0) this.#sendBuffer.renew();
  }

  /** Waits until what was sent has left, at most a second. */
  async close(): Promise<void> {
    for (let waited = 0; this.#socket.getSendQueueCount() > 0 && waited < CLOSE_WAIT_MS; waited += CLOSE_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

class SocketPath implements DatagramPath {
  readonly remote: SocketAddress;
  readonly maxDatagramBytes: number;
  readonly windowUnitBytes: number;
  readonly isLong: boolean;
  readonly #socket: UdpSocket;
  readonly #systemHost: string;

  constructor(socket: UdpSocket, remote: SocketAddress, systemHost: string) {
    this.#socket = socket;
    this.remote = remote;
    this.#systemHost = systemHost;
    this.maxDatagramBytes = largestDatagram(remote);
    this.windowUnitBytes = windowUnit(remote);
    this.isLong = isLong(remote);
  }

  matches(systemHost: string, port: number): boolean {
    return port === this.remote.port && systemHost === this.#systemHost;
  }

  send(buffer: Uint8Array, length: number): void {
    this.#socket.send(buffer, length, this.#systemHost, this.remote.port);
  }

  towards(remote: SocketAddress): DatagramPath {
    return this.#socket.path(remote) ?? this;
  }
}

/** Some systems refuse a size over their limit instead of giving less. */
function grow(set: (bytes: number) => void): void {
  for (let bytes = SOCKET_BUFFER_BYTES; bytes >= 65_536; bytes /= 2) {
    try {
      set(bytes);
      return;
    } catch {
      // The next smaller one.
    }
  }
}
