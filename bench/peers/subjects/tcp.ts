import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Contact, type Link, type Peer, pieces, REQUEST, type Subject } from './subject.ts';

/** A bare TCP connection of the system, with the congestion control it has: whose share of a link others must leave. */
export const tcp: Subject = {
  async start(host): Promise<Peer> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => void serve(socket, JSON.parse(String(bytes))));
    });
    await once(server.listen(0, host), 'listening');
    return {
      contact: { host, port: (server.address() as AddressInfo).port },
      async connect({ host, port }: Contact): Promise<Link> {
        const socket = connect({ host: String(host), port: Number(port), noDelay: true });
        await once(socket, 'connect');
        return new SocketLink(socket);
      },
    };
  },
};

type Question = { readonly bytes: number } | typeof REQUEST;

async function serve(socket: Socket, question: Question): Promise<void> {
  if (!('bytes' in question)) socket.write(JSON.stringify(question));
  else for (const piece of pieces(question.bytes)) if (!socket.write(piece)) await once(socket, 'drain');
}

/** One exchange at a time. */
class SocketLink implements Link {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async request(): Promise<void> {
    this.#socket.write(JSON.stringify(REQUEST));
    await once(this.#socket, 'data');
  }

  async fetch(bytes: number, onBytes = () => {}): Promise<void> {
    this.#socket.write(JSON.stringify({ bytes }));
    await new Promise<void>((resolve) => {
      let left = bytes;
      const read = (chunk: Uint8Array): void => {
        left -= chunk.length;
        onBytes();
        if (left > 0) return;
        this.#socket.off('data', read);
        resolve();
      };
      this.#socket.on('data', read);
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }
}
