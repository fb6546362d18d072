import { makeCredentials } from '../identity/certificate.ts';
import type { NodeId, PeerId } from '../sdk/identifiers.ts';
import { parseAddress } from '../transport/address.ts';
import type { CloseInfo, Connection, Endpoint, IncomingStream, Stream, Transport } from '../transport/transport.ts';
import { type Frame, readFrame } from './frames.ts';
import type { Machine } from './machine.ts';
import type { TestNode } from './test-node.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Virtual time to wait for an answer; longer than any message's own deadline. */
const ANSWER_LIMIT_MS = 120_000;
/** Frames kept of what a node sends without being asked; later ones are dropped. */
const HEARD_MAX = 1_000;

/** What became of a request: a frame came back, or the stream or the whole connection was ended. */
export type Answer = Frame | { readonly reset: number | undefined } | { readonly closed: string };

/**
 * A peer that proves who it is, as every connection demands, and then writes raw bytes: no wire layer
 * keeps it from anything.
 */
export class HostilePeer {
  readonly id: NodeId;
  readonly self: PeerId;
  readonly address: string;
  readonly #endpoint: Endpoint;
  readonly #time: VirtualTime;

  private constructor(machine: Machine, endpoint: Endpoint, time: VirtualTime) {
    this.id = machine.nodeId;
    this.self = machine.identity.self;
    this.address = machine.address;
    this.#endpoint = endpoint;
    this.#time = time;
  }

  static async open(machine: Machine, transport: Transport, time: VirtualTime): Promise<HostilePeer> {
    const { identitySeed, deviceSeed } = machine.identity;
    const endpoint = await transport.open({
      bind: parseAddress(machine.address),
      credentials: makeCredentials(identitySeed, deviceSeed),
      onConnection() {},
    });
    return new HostilePeer(machine, endpoint, time);
  }

  /** @throws transport/* */
  async connect(node: TestNode): Promise<HostileConnection> {
    const dialled = this.#endpoint.dial({ addresses: [parseAddress(node.address)], expect: node.id });
    const connection = await this.#time.until(dialled, ANSWER_LIMIT_MS, `the hostile peer dials ${node}`);
    return new HostileConnection(connection, this.#time);
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }
}

/** One connection of a hostile peer, with its streams as they are. */
export class HostileConnection {
  /** What the node sent without being asked: the first frame of each of its streams. */
  readonly heard: Frame[] = [];
  /** Answers the node's own requests; without it they get none. */
  respond: ((request: Frame) => Uint8Array | undefined) | undefined;
  readonly #connection: Connection;
  readonly #time: VirtualTime;

  constructor(connection: Connection, time: VirtualTime) {
    this.#connection = connection;
    this.#time = time;
    connection.onStream = (stream) => this.#hear(stream);
  }

  /** How the connection ended; undefined while it is open. */
  get closed(): CloseInfo | undefined {
    return this.#connection.closed;
  }

  /** Opens a stream to write to in any way, and to leave open or abort. @throws transport/closed */
  async open(kind: 'bi' | 'uni'): Promise<Stream> {
    const opened = kind === 'bi' ? this.#connection.openBi() : this.#connection.openUni();
    // Too many of its streams are open: it waits, as everybody does.
    return opened instanceof Promise
      ? this.#time.until(opened, ANSWER_LIMIT_MS, 'a stream of the hostile peer')
      : opened;
  }

  /** Writes bytes on a uni-stream of their own. Nothing says whether they are liked. */
  async tell(bytes: Uint8Array): Promise<void> {
    if (this.closed === undefined) (await this.open('uni')).write(Uint8Array.from(bytes), true);
  }

  /** Writes bytes on a bi-stream of their own, and waits for what comes back. */
  async ask(bytes: Uint8Array): Promise<Answer> {
    if (this.closed !== undefined) return { closed: this.closed.reason };
    const stream = await this.open('bi');
    const answer = collect(stream);
    stream.write(Uint8Array.from(bytes), true);
    return this.#time.until(answer, ANSWER_LIMIT_MS, 'an answer to the hostile peer');
  }

  close(code = 0): void {
    this.#connection.close(code, 'done');
  }

  #hear(stream: IncomingStream): void {
    void collect(stream).then((answer) => {
      if (!('code' in answer)) return;
      if (this.heard.length < HEARD_MAX) this.heard.push(answer);
      const bytes = this.respond?.(answer);
      if (bytes !== undefined && stream.kind === 'bi') stream.write(bytes, true);
    });
  }
}

/** The frame a stream brings, or how it ends without one. */
function collect(stream: Stream): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    stream.onAbort = ({ by, code }) =>
      resolve(by === 'peer' ? { reset: code } : { closed: stream.connection.closed?.reason ?? 'closed' });
    stream.onData = (chunk, fin) => {
      chunks.push(Uint8Array.from(chunk));
      if (fin) resolve(readFrame(Buffer.concat(chunks)) ?? { reset: undefined });
    };
  });
}
