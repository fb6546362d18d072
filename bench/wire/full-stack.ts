import { randomBytes } from 'node:crypto';
import { createBus } from '../../kernel/bus/index.ts';
import { systemClock, systemRandom } from '../../kernel/clock/index.ts';
import { defineNotice, defineRequest, RAW_BLOB, Type, withBytes } from '../../kernel/index.ts';
import { makeCredentials } from '../../kernel/identity/certificate.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { quicTransport } from '../../kernel/transport/index.ts';
import { SHARED_STREAMS, createDispatcher, createNetwork } from '../../kernel/wire/index.ts';
import type { Dispatcher, NetworkHost } from '../../kernel/wire/index.ts';
import { ECHO_BODY, codedEcho, parallelRate, serialRate } from './echo.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What a node has below its plugins, on loopback: QUIC endpoint, dispatcher and network. */
export interface Stack {
  readonly network: NetworkHost;
  readonly dispatcher: Dispatcher;
  readonly counters: () => Readonly<Record<string, number>>;
}

export async function openStack(): Promise<Stack> {
  const [clock, random, log, registry] = [systemClock(), systemRandom(), SILENT, createCounters()];
  const counters = registry.of('wire');
  const dispatcher = createDispatcher({ clock, counters, log });
  const network = createNetwork({
    transport: quicTransport({ clock, random, log, counters: registry.of('transport') }),
    credentials: makeCredentials(randomBytes(32), randomBytes(32)),
    dispatcher,
    bus: createBus({ clock, log, counters: registry }),
    clock,
    features: () => [],
    bind: { host: '127.0.0.1', port: 0, family: 4 },
  });
  await network.listen();
  return { network, dispatcher, counters: () => counters.read() };
}

export async function closeStack({ network, dispatcher }: Stack): Promise<void> {
  await network.shutdown();
  dispatcher.close();
}

/** Exchanges of about 100 bytes of JSON each way. */
export interface Exchanges {
  /** One after another. */
  readonly serialPerSecond: number;
  /** 50 under way at all times. */
  readonly parallelPerSecond: number;
  /** Processor time of both ends for one of them. */
  readonly serialCpuUs: number;
  readonly parallelCpuUs: number;
}

export interface FullStack {
  readonly shared: Exchanges;
  /** With a stream for each message, as a peer without the feature gets it. */
  readonly ownStreams: Exchanges;
  /** Megabytes of payload per second in frames of 8 MiB, one after another: what JSON and UTF-8 leave of the driver. */
  readonly bulkMbPerSecond: number;
  /** The same amount as the raw bytes behind one answer. */
  readonly rawMbPerSecond: number;
}

const BULK_FRAME_BYTES = 8 * 1024 * 1024;
const BULK_FRAMES = 6;

const bulk = defineNotice({
  name: 'bench/bulk@1',
  about: 'Carries much',
  body: Type.Object({ data: Type.String() }),
  maxBytes: BULK_FRAME_BYTES + 64,
  budget: { perSecond: 1_000, burst: 1_000, inFlight: 10 },
});

const RAW_BYTES = BULK_FRAMES * BULK_FRAME_BYTES;
const RAW_CHUNK_BYTES = 256 * 1024;

const rawBulk = defineRequest({
  name: 'bench/raw@1',
  about: 'Answers with much behind it',
  body: Type.Object({}),
  maxBytes: 64,
  budget: { perSecond: 1_000, burst: 1_000, inFlight: 10 },
  response: { body: Type.Object({}), maxBytes: 64, raw: { maxBytes: RAW_BYTES } },
});

function* chunks(): Generator<Uint8Array> {
  const chunk = Buffer.alloc(RAW_CHUNK_BYTES, 7);
  for (let sent = 0; sent < RAW_BYTES; sent += chunk.length) yield chunk;
}

/** The whole stack between two nodes in this process: QUIC, TLS, framing, budgets, schema, handler, answer. */
export async function measureFullStack(ms = 2_000): Promise<FullStack> {
  const [here, there] = [await openStack(), await openStack()];
  let arrived = 0;
  let allArrived = () => {};
  const count = () => {
    if (++arrived % BULK_FRAMES === 0) allArrived();
  };
  there.dispatcher.router.install('bench', [
    { message: codedEcho, handler: (body) => body },
    { message: bulk, handler: count },
    { message: rawBulk, handler: () => withBytes({}, RAW_BYTES, chunks()) },
  ]);
  const peer = await here.network.dial({
    nodeId: there.network.self.nodeId,
    addresses: [`127.0.0.1:${there.network.port}`],
  });
  const once = () => here.network.sendTo(peer.peer, codedEcho, ECHO_BODY);
  const offer = (...features: string[]): void => {
    for (const { network } of [here, there]) {
      for (const { id } of network.connections()) network.setFeaturesOf(id, features);
    }
  };
  const ownStreams = await measureExchanges(once, ms);
  offer(SHARED_STREAMS);
  const shared = await measureExchanges(once, ms);
  const data = 'x'.repeat(BULK_FRAME_BYTES);
  const carry = async () => {
    const done = new Promise<void>((resolve) => {
      allArrived = resolve;
    });
    for (let frame = 0; frame < BULK_FRAMES; frame++) await here.network.sendTo(peer.peer, bulk, { data });
    await done;
  };
  await carry();
  const startMs = performance.now();
  await carry();
  const bulkMbPerSecond = (BULK_FRAMES * BULK_FRAME_BYTES) / 1_000 / (performance.now() - startMs);
  offer(RAW_BLOB, SHARED_STREAMS);
  const fetchRaw = async () => {
    const { bytes } = await here.network.sendTo(peer.peer, rawBulk, {});
    let received = 0;
    for await (const chunk of bytes ?? []) received += chunk.length;
    if (received !== RAW_BYTES) throw new Error(`${received} raw bytes came`);
  };
  await fetchRaw();
  const rawStartMs = performance.now();
  await fetchRaw();
  const rawMbPerSecond = RAW_BYTES / 1_000 / (performance.now() - rawStartMs);
  await closeStack(here);
  await closeStack(there);
  return { shared, ownStreams, bulkMbPerSecond, rawMbPerSecond };
}

async function measureExchanges(once: () => Promise<unknown>, ms: number): Promise<Exchanges> {
  const [serialPerSecond, serialCpuUs] = await withCpu(once, (counted) => serialRate(counted, ms));
  const [parallelPerSecond, parallelCpuUs] = await withCpu(once, (counted) => parallelRate(counted, 50, ms));
  return { serialPerSecond, parallelPerSecond, serialCpuUs, parallelCpuUs };
}

/** What `measure` gives, and the microseconds of processor time that one call costs. */
async function withCpu(
  once: () => Promise<unknown>,
  measure: (counted: () => Promise<unknown>) => Promise<number>,
): Promise<[rate: number, cpuUs: number]> {
  let count = 0;
  const before = process.cpuUsage();
  const rate = await measure(() => {
    count++;
    return once();
  });
  const { user, system } = process.cpuUsage(before);
  return [rate, (user + system) / count];
}

if (import.meta.main) console.log(await measureFullStack());
