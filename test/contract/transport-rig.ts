import test, { type ExecutionContext } from 'ava';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { type Credentials, makeCredentials } from '../../kernel/identity/certificate.ts';
import type { Counters, Log } from '../../kernel/sdk/log.ts';
import { memoryNetwork, quicTransport } from '../../kernel/transport/index.ts';
import type {
  Connection,
  Endpoint,
  EndpointOptions,
  IncomingStream,
  SocketAddress,
  Stream,
  StreamAbort,
  TransportLimits,
} from '../../kernel/transport/transport.ts';

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (event, fields) => console.error(event, fields),
};

export function simpleCounters(): Counters {
  const values: Record<string, number> = {};
  return {
    add: (name, by = 1) => {
      values[name] = (values[name] ?? 0) + by;
    },
    read: () => ({ ...values }),
  };
}

let nextSeed = 1;

/** Credentials nobody else has. */
export function freshCredentials(): Credentials {
  const seed = (role: number): Buffer => {
    const bytes = Buffer.alloc(32, role);
    bytes.writeUInt32BE(nextSeed, 0);
    return bytes;
  };
  nextSeed++;
  return makeCredentials(seed(1), seed(2));
}

/** Every handshake comes from 127.0.0.1 here. */
export const TEST_LIMITS: Partial<TransportLimits> = { handshakesPerSecondPerIp: 100_000 };

export interface TestNode {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  /** Connections in the order they opened. */
  readonly connections: Connection[];
  /** Streams the peers opened, in order; taken over by `onStream` when a test sets it. */
  onStream: (stream: IncomingStream, connection: Connection) => void;
  address(): SocketAddress;
}

export interface NodeOptions extends Pick<EndpointOptions, 'blocksOf' | 'isKept'> {
  readonly limits?: Partial<TransportLimits>;
  readonly credentials?: Credentials;
  readonly bind?: SocketAddress;
}

/** One of the two transports, as the contract suite needs it. */
export interface TransportRig {
  readonly name: 'quic' | 'memory';
  node(options?: NodeOptions): Promise<TestNode>;
  /** An address at which nobody answers. */
  blackHole(): Promise<SocketAddress>;
}

export function quicRig(): TransportRig {
  const rig: TransportRig = {
    name: 'quic',
    node: (options = {}) =>
      makeNode(options, '127.0.0.1', (open) =>
        quicTransport({
          clock: systemClock(),
          random: systemRandom(),
          log: silentLog,
          counters: simpleCounters(),
        }).open(open),
      ),
    blackHole: async () => ({ host: '127.0.0.1', port: 9, family: 4 }),
  };
  return rig;
}

export function memoryRig(): TransportRig {
  const network = memoryNetwork({
    clock: systemClock(),
    random: systemRandom(),
    log: silentLog,
    counters: simpleCounters,
  });
  let nextHost = 1;
  return {
    name: 'memory',
    node: (options = {}) => {
      const host = `10.0.${nextHost >> 8}.${nextHost++ & 0xff}`;
      return makeNode(options, host, (open) => network.transport(host).open(open));
    },
    blackHole: async () => ({ host: '10.255.0.1', port: 9, family: 4 }),
  };
}

type Open = Parameters<ReturnType<typeof quicTransport>['open']>[0];

async function makeNode(
  options: NodeOptions,
  host: string,
  open: (options: Open) => Promise<Endpoint>,
): Promise<TestNode> {
  const { blocksOf, isKept } = options;
  const credentials = options.credentials ?? freshCredentials();
  const connections: Connection[] = [];
  const endpoint = await open({
    credentials,
    limits: { ...TEST_LIMITS, ...options.limits },
    ...(blocksOf && { blocksOf }),
    ...(isKept && { isKept }),
    ...(options.bind === undefined ? {} : { bind: options.bind }),
    onConnection: (connection) => {
      connections.push(connection);
      connection.onStream = (stream) => node.onStream(stream, connection);
    },
  });
  const node: TestNode = {
    endpoint,
    credentials,
    connections,
    onStream: () => {},
    address: () => ({ host, port: endpoint.port, family: 4 }),
  };
  return node;
}

/** Dials from one node to another. */
export function connect(from: TestNode, to: TestNode, signal?: AbortSignal): Promise<Connection> {
  return from.endpoint.dial({ addresses: [to.address()], expect: to.credentials.self.nodeId }, signal);
}

/** All the bytes of a stream; rejects with the StreamAbort. */
export function collect(stream: Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.onData = (chunk, fin) => {
      chunks.push(Buffer.from(chunk));
      if (fin) resolve(Buffer.concat(chunks));
    };
    stream.onAbort = reject;
  });
}

/** Runs with all the bytes of a stream; a stream that ends otherwise is of no interest. */
export function onceCollected(stream: Stream, run: (bytes: Buffer) => void): void {
  collect(stream).then(run, () => {});
}

export function aborted(stream: Stream): Promise<StreamAbort> {
  return new Promise((resolve) => {
    stream.onAbort = resolve;
  });
}

export function closed(connection: Connection): Promise<NonNullable<Connection['closed']>> {
  if (connection.closed !== undefined) return Promise.resolve(connection.closed);
  return new Promise((resolve) => {
    connection.onClose = resolve;
  });
}

/** Why a peer would not have a connection; a dial that does not wait for the peer's consent hears of it afterwards. */
export async function refusal(dial: Promise<Connection>): Promise<string> {
  try {
    const { refused, reason } = await closed(await dial);
    return refused ? reason : `taken, and then ${reason}`;
  } catch (error) {
    const { code, data } = error as { code?: string; data?: { reason?: string } };
    return code === 'transport/refused' ? String(data?.reason) : String(code);
  }
}

/** Polls a condition of the real world; the limit turns a hang into a failure. */
export async function until(condition: () => boolean, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error('condition not met in time');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Bytes that differ at every place, so that loss, doubling and reordering all show. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
  return bytes;
}

/** Declares a test with two nodes, which are closed after it. */
export function pairTest(rig: TransportRig) {
  return (title: string, body: (t: ExecutionContext, a: TestNode, b: TestNode) => Promise<void>): void => {
    test(`${rig.name}: ${title}`, async (t) => {
      const a = await rig.node();
      const b = await rig.node();
      t.teardown(async () => {
        await a.endpoint.close();
        await b.endpoint.close();
      });
      await body(t, a, b);
    });
  };
}
