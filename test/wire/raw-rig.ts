import test from 'ava';
import type { ExecutionContext } from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { RAW_BLOB, Type, defineRequest } from '../../kernel/index.ts';
import type { RawBody } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Connection, Stream } from '../../kernel/transport/transport.ts';
import { createDispatcher } from '../../kernel/wire/index.ts';
import type { Attachment, Dispatcher, MessageHandler } from '../../kernel/wire/index.ts';
import { connect, type TransportRig, until } from '../contract/transport-rig.ts';
import { recordingLog } from '../rig/recording-log.ts';
import type { RecordingLog } from '../rig/recording-log.ts';
import { rawFrame } from './pair.ts';

export const IDLE_MS = 2_000;
export const RAW_MAX_BYTES = 64 * 1024 * 1024;

/** A request whose answer may have raw bytes behind it. */
export const fetchFile = defineRequest({
  name: 'acme/file@1',
  about: 'Answers with a file',
  body: Type.Object({ id: Type.String() }),
  maxBytes: 1_024,
  budget: { perSecond: 1e6, burst: 1e6, inFlight: 2 },
  response: {
    body: Type.Object({ id: Type.String() }),
    maxBytes: 1_024,
    raw: { maxBytes: RAW_MAX_BYTES, idleMs: IDLE_MS },
  },
});

/** The response frame of {@link fetchFile} as any peer might write it. */
export function rawAnswer(rawBytes: unknown): Uint8Array {
  const body = { id: 'a', raw_bytes: rawBytes };
  return rawFrame(0xf0, JSON.stringify({ name: 'acme/file@1:response', body }));
}

interface Side {
  readonly dispatcher: Dispatcher;
  readonly counters: () => Readonly<Record<string, number>>;
  readonly log: RecordingLog;
  readonly connection: Connection;
  attachment: Attachment;
}

export interface RawRig {
  /** Of both dispatchers: their deadlines pass when it is advanced. The transport runs on real time. */
  readonly clock: VirtualClock;
  readonly client: Side;
  readonly server: Side;
  ask(options?: { signal?: AbortSignal }): Promise<{ readonly id: string; readonly bytes?: RawBody }>;
  serve(handler: MessageHandler): void;
}

export interface RawRigOptions {
  /** Whether either side knows that the other offers raw bytes. Default true. */
  readonly offered?: { readonly toClient?: boolean; readonly toServer?: boolean };
  /** In place of the server's dispatcher: gets each stream the client opens. */
  readonly hostile?: (stream: Stream) => void;
}

/** Two dispatchers over a real transport. */
export async function rawRig(t: ExecutionContext, rig: TransportRig, options: RawRigOptions = {}): Promise<RawRig> {
  const [a, b] = [await rig.node(), await rig.node()];
  const { hostile, offered: { toClient = true, toServer = true } = {} } = options;
  if (hostile !== undefined) b.onStream = hostile;
  const near = await connect(a, b);
  await until(() => b.connections.length === 1);
  const far = b.connections[0] as Connection;
  const clock = new VirtualClock();
  const side = (connection: Connection, attach: boolean): Side => {
    const [log, counters] = [recordingLog(), createCounters().of('wire')];
    const dispatcher = createDispatcher({ clock, counters, log });
    const attachment = attach ? dispatcher.attach(connection) : { lastActivityMs: 0, features: new Set<string>() };
    if (attach) connection.onClose = () => dispatcher.detach(connection);
    return { dispatcher, counters: () => counters.read(), log, connection, attachment };
  };
  const client = side(near, true);
  const server = side(far, hostile === undefined);
  if (toClient) client.attachment.features = new Set([RAW_BLOB]);
  if (toServer) server.attachment.features = new Set([RAW_BLOB]);
  t.teardown(async () => {
    client.dispatcher.close();
    server.dispatcher.close();
    await a.endpoint.close();
    await b.endpoint.close();
  });
  return {
    clock,
    client,
    server,
    ask: (sendOptions) => client.dispatcher.send(near, fetchFile, { id: 'a' }, sendOptions),
    serve: (handler) => server.dispatcher.router.install('p', [{ message: fetchFile, handler }]),
  };
}

export async function readAll(bytes: RawBody | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const KB = 1024;
export const MB = 1024 * KB;

/** A source of many chunks that says how far it was read and whether it was told of its end. */
export function source(chunks: number, chunkBytes: number, pause?: (index: number) => Promise<unknown> | undefined) {
  const state = { taken: 0, ended: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < chunks; index++) {
        await pause?.(index);
        state.taken += chunkBytes;
        yield new Uint8Array(chunkBytes).fill(index);
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, bytes: generate() };
}

export function never(): Promise<never> {
  return new Promise(() => {});
}

/** The request and its bytes in one: where they are given up, that may overtake the answer. */
export async function fetchAll(rig: RawRig): Promise<Buffer> {
  return readAll((await rig.ask()).bytes);
}

type RawTest = (t: ExecutionContext, rig: RawRig) => Promise<void>;

/** Declares a test over this transport. */
export function rawTest(transport: TransportRig) {
  return (title: string, body: RawTest, options?: RawRigOptions): void =>
    test(`${transport.name}: ${title}`, async (t) => body(t, await rawRig(t, transport, options)));
}

/** The same against a server that writes whatever it likes once it has the request. */
export function hostileTest(transport: TransportRig) {
  const declare = rawTest(transport);
  return (title: string, write: (stream: Stream) => void, body: RawTest, options: RawRigOptions = {}): void =>
    declare(title, body, {
      ...options,
      hostile: (stream) => {
        stream.onData = () => {
          stream.onData = () => {};
          write(stream);
        };
      },
    });
}
