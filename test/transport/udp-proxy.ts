import { createSocket, type Socket } from 'node:dgram';
import { seededRandom } from '../../kernel/clock/index.ts';
import type { SocketAddress } from '../../kernel/transport/transport.ts';

/** A bad network on loopback: stands between a dialling node and one that listens. */
export class UdpProxy {
  /** Share of datagrams lost, each way. */
  loss = 0;
  delayMs = 0;
  /** Nothing reaches the client any more. */
  muted = false;
  /** Larger datagrams are lost, as on a path whose routers do not say why. */
  maxBytes = 65_535;
  /** Largest that passed each way. */
  largest = 0;
  passed = 0;
  /** Of these, towards the client. */
  passedBack = 0;
  lost = 0;

  readonly #random = seededRandom(4242);
  readonly #front: Socket;
  #back: Socket;
  #client: { port: number; address: string } | undefined;
  #closed = false;

  private constructor(target: SocketAddress, front: Socket, back: Socket) {
    this.#front = front;
    this.#back = back;
    front.on('message', (datagram, from) => {
      this.#client = from;
      this.#pass(datagram, () => this.#back.send(datagram, target.port, target.host));
    });
    this.#listen(back);
  }

  static async before(target: SocketAddress): Promise<UdpProxy> {
    return new UdpProxy(target, await bound(), await bound());
  }

  get address(): SocketAddress {
    return { host: '127.0.0.1', port: this.#front.address().port, family: 4 };
  }

  /** The client's datagrams come from another port from now on, as after a NAT forgot its mapping. */
  async rebind(): Promise<void> {
    const old = this.#back;
    this.#back = await bound();
    this.#listen(this.#back);
    old.close();
  }

  close(): void {
    this.#closed = true;
    this.#front.close();
    this.#back.close();
  }

  #listen(back: Socket): void {
    back.on('message', (datagram) => {
      const client = this.#client;
      if (client === undefined || this.muted) return;
      this.#pass(datagram, () => {
        this.passedBack++;
        this.#front.send(datagram, client.port, client.address);
      });
    });
  }

  #pass(datagram: Buffer, send: () => void): void {
    if (datagram.length > this.maxBytes || (this.loss > 0 && this.#random.float() < this.loss)) {
      this.lost++;
      return;
    }
    this.passed++;
    this.largest = Math.max(this.largest, datagram.length);
    if (this.delayMs === 0) send();
    else setTimeout(() => this.#closed || send(), this.delayMs);
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024, sendBufferSize: 4 * 1024 * 1024 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}
