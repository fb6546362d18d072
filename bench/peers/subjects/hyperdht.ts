import { once } from 'node:events';
import { type HyperDht, loadPackages, type SecretStream } from '../packages.ts';
import { type Contact, type Link, type Peer, pieces, REQUEST, type Subject } from './subject.ts';

/**
 * Two nodes of HyperDHT that know each other's address, as ours do, so that no look-up is in the time.
 * A connection is one encrypted stream of messages; requests carry numbers, as its own RPC layers do.
 */
export const hyperdht: Subject = {
  async start(host): Promise<Peer> {
    const { HyperDHT } = await loadPackages();
    const first = new HyperDHT({ ephemeral: false, firewalled: false, bootstrap: [], host });
    await first.fullyBootstrapped();
    const node = new HyperDHT({ bootstrap: [{ host, port: first.address().port }], host });
    const server = node.createServer(serve);
    await server.listen(HyperDHT.keyPair());
    return {
      contact: { publicKey: Buffer.from(server.publicKey).toString('hex'), host, port: node.address().port },
      connect: (contact) => connect(node, contact),
    };
  },
};

type Message = { readonly seq: number; readonly body: object } | { readonly seq: number; readonly bytes: number };

async function connect(node: HyperDht, { publicKey, host, port }: Contact): Promise<Link> {
  const socket = node.connect(Buffer.from(String(publicKey), 'hex'), { relayAddresses: [{ host, port }] });
  const link = new StreamLink(socket);
  await once(socket as never, 'open');
  return link;
}

class StreamLink implements Link {
  readonly #socket: SecretStream;
  readonly #waiting = new Map<number, () => void>();
  #seq = 0;
  #bytesLeft = 0;
  #fetched = (): void => {};
  #onBytes = (): void => {};

  constructor(socket: SecretStream) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (message) => this.#received(message));
  }

  request(): Promise<void> {
    const seq = this.#send({ body: REQUEST });
    return new Promise((resolve) => this.#waiting.set(seq, resolve));
  }

  fetch(bytes: number, onBytes = () => {}): Promise<void> {
    this.#bytesLeft = bytes;
    this.#onBytes = onBytes;
    const done = new Promise<void>((resolve) => {
      this.#fetched = resolve;
    });
    this.#send({ bytes });
    return done;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket as never, 'close');
    this.#socket.destroy();
    await closed;
  }

  #send(message: { body: object } | { bytes: number }): number {
    const seq = this.#seq++;
    this.#socket.write(Buffer.from(JSON.stringify({ seq, ...message })));
    return seq;
  }

  #received(message: Uint8Array): void {
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= message.length;
      this.#onBytes();
      if (this.#bytesLeft === 0) this.#fetched();
      return;
    }
    const { seq } = JSON.parse(Buffer.from(message.buffer, message.byteOffset, message.length).toString()) as Message;
    this.#waiting.get(seq)?.();
    this.#waiting.delete(seq);
  }
}

function serve(socket: SecretStream): void {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const message = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as Message;
    if ('bytes' in message) void send(socket, message.bytes);
    else socket.write(Buffer.from(JSON.stringify(message)));
  });
}

async function send(socket: SecretStream, bytes: number): Promise<void> {
  for (const piece of pieces(bytes)) if (!socket.write(piece)) await once(socket as never, 'drain');
}
