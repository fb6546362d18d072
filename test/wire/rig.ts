import { VirtualClock } from '../../kernel/clock/index.ts';
import { Type, defineRequest, defineNotice } from '../../kernel/index.ts';
import type { AnyMessage, Counters } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { SHARED_STREAMS, createDispatcher } from '../../kernel/wire/index.ts';
import type { Attachment, Dispatcher, MessageHandler } from '../../kernel/wire/index.ts';
import { recordingLog } from '../rig/recording-log.ts';
import type { RecordingLog } from '../rig/recording-log.ts';
import { connectionPair, testPeer } from './pair.ts';
import type { FakeConnection, PairOptions } from './pair.ts';

const GENEROUS = { perSecond: 1e6, burst: 1e6, inFlight: 1_000 };

/** A notice and an exchange of the catalogue, and one of a third party, with as little in them as possible. */
export const note = defineNotice({
  code: 0x42,
  name: 'PostNotification',
  about: 'A number',
  body: Type.Object({ n: Type.Integer(), pad: Type.Optional(Type.String()) }),
  maxBytes: 2 * 1024 * 1024,
  budget: GENEROUS,
});

export const ask = defineRequest({
  code: 0xd4,
  name: 'PostFetchRequest',
  about: 'Gives the number back',
  body: Type.Object({ n: Type.Integer() }),
  maxBytes: 1_024,
  budget: GENEROUS,
  response: { code: 0xd5, name: 'PostFetchResponse', body: Type.Object({ n: Type.Integer() }), maxBytes: 1_024 },
});

export const ping = defineRequest({
  name: 'acme/ping@1',
  about: 'Gives the number back',
  body: Type.Object({ n: Type.Integer() }),
  maxBytes: 1_024,
  budget: GENEROUS,
  response: { body: Type.Object({ n: Type.Integer() }), maxBytes: 1_024 },
});

export interface Side {
  readonly dispatcher: Dispatcher;
  readonly counters: Counters;
  readonly log: RecordingLog;
}

export interface WireRig {
  readonly clock: VirtualClock;
  /** Sends. */
  readonly client: Side;
  /** Serves. */
  readonly server: Side;
  readonly near: FakeConnection;
  readonly far: FakeConnection;
  /** What the client keeps of `near`. */
  readonly attachment: Attachment;
  /** Another pair of connections between the same two dispatchers. */
  connect(digit: string, options?: PairOptions): [FakeConnection, FakeConnection];
  serve(owner: string, ...entries: [AnyMessage, MessageHandler][]): void;
}

export interface RigOptions extends PairOptions {
  /** Whether both sides know that the other takes small frames on shared streams. Default true. */
  readonly shared?: boolean;
}

export function wireRig({ shared = true, ...options }: RigOptions = {}): WireRig {
  const clock = new VirtualClock();
  const side = (): Side => {
    const log = recordingLog();
    const counters = createCounters().of('wire');
    return { log, counters, dispatcher: createDispatcher({ clock, counters, log }) };
  };
  const client = side();
  const server = side();
  const attachments = new Map<FakeConnection, Attachment>();
  const connect = (digit: string, pairOptions: PairOptions = options): [FakeConnection, FakeConnection] => {
    const [near, far] = connectionPair(testPeer(digit), testPeer('5'), pairOptions);
    const attachment = client.dispatcher.attach(near);
    for (const attached of [attachment, server.dispatcher.attach(far)]) {
      attached.features = new Set(shared ? [SHARED_STREAMS] : []);
    }
    attachments.set(near, attachment);
    near.onClose = () => client.dispatcher.detach(near);
    far.onClose = () => server.dispatcher.detach(far);
    return [near, far];
  };
  const [near, far] = connect('c');
  return {
    clock,
    client,
    server,
    near,
    far,
    attachment: attachments.get(near) as Attachment,
    connect,
    serve(owner, ...entries) {
      server.dispatcher.router.install(
        owner,
        entries.map(([message, handler]) => ({ message, handler })),
      );
    },
  };
}

/** Lets what is on its way arrive. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
