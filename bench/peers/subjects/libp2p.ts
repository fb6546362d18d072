import { type Libp2pConnection, type Libp2pStream, loadPackages } from '../packages.ts';
import { type Link, type Peer, pieces, REQUEST, type Subject } from './subject.ts';

const ECHO = '/itsgoin-bench/echo/1';
const BULK = '/itsgoin-bench/bulk/1';
const MANY = { maxInboundStreams: 1_000, maxOutboundStreams: 1_000 };

/** js-libp2p over the QUIC of quinn: a stream for each request, as its protocols do. */
export const libp2p: Subject = {
  async start(host): Promise<Peer> {
    const { createLibp2p, multiaddr, quic } = await loadPackages();
    const node = await createLibp2p({
      addresses: { listen: [`/ip4/${host}/udp/0/quic-v1`] },
      transports: [quic()],
      connectionManager: { inboundConnectionThreshold: 1_000 },
    });
    await node.handle(ECHO, (stream) => void answer(stream), MANY);
    await node.handle(BULK, (stream) => void send(stream), MANY);
    return {
      contact: { address: String(node.getMultiaddrs()[0]) },
      connect: async ({ address }) => new StreamsLink(await node.dial(multiaddr(String(address)))),
    };
  },
};

class StreamsLink implements Link {
  readonly #connection: Libp2pConnection;

  constructor(connection: Libp2pConnection) {
    this.#connection = connection;
  }

  async request(): Promise<void> {
    const stream = await this.#connection.newStream(ECHO, MANY);
    stream.send(encode(REQUEST));
    const closed = stream.close();
    JSON.parse((await readAll(stream)).toString());
    await closed;
  }

  async fetch(bytes: number, onBytes = () => {}): Promise<void> {
    const stream = await this.#connection.newStream(BULK, MANY);
    stream.send(encode({ bytes }));
    const closed = stream.close();
    let received = 0;
    for await (const chunk of stream) {
      received += chunk.byteLength;
      onBytes();
    }
    await closed;
    if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came`);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

async function answer(stream: Libp2pStream): Promise<void> {
  stream.send(encode(JSON.parse((await readAll(stream)).toString())));
  await stream.close();
}

async function send(stream: Libp2pStream): Promise<void> {
  const { bytes } = JSON.parse((await readAll(stream)).toString()) as { bytes: number };
  for (const piece of pieces(bytes)) if (!stream.send(piece)) await stream.onDrain();
  await stream.close();
}

async function readAll(stream: Libp2pStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.subarray());
  return Buffer.concat(chunks);
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
