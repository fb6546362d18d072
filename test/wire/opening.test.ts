import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import type { Bus } from '../../kernel/bus/bus.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import type { Stream } from '../../kernel/transport/transport.ts';
import { createDispatcher, createNetwork } from '../../kernel/wire/index.ts';
import { RESET_CODES } from '../../kernel/wire/limits.ts';
import type { TraceRecord } from '../../kernel/wire/trace.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { testPeer } from './pair.ts';
import type { FakeStream } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

const echo = (body: unknown) => body;

/** Lets the peer take its time with room for another stream. */
function slowToOpen(t: ReturnType<typeof wireRig>): { stream: PromiseWithResolvers<Stream>; open: () => FakeStream } {
  const stream = Promise.withResolvers<Stream>();
  const open = t.near.openBi.bind(t.near);
  t.near.openBi = (() => stream.promise) as never;
  return { stream, open };
}

test('a message waits for room for its stream', async (t) => {
  const rig = wireRig();
  rig.serve('p', [ask, echo]);
  const { stream, open } = slowToOpen(rig);
  const sent = rig.client.dispatcher.send(rig.near, ask, { n: 1 });
  await settle();
  stream.resolve(open());
  t.deepEqual(await sent, { n: 1 });
});

test('a stream that could not be opened says why; when the connection has ended meanwhile, that', async (t) => {
  const alive = wireRig();
  const first = slowToOpen(alive);
  const sent = alive.client.dispatcher.send(alive.near, ask, { n: 1 });
  first.stream.reject(new Error('no room'));
  await t.throwsAsync(sent, { message: 'no room' });
  const ended = wireRig();
  const second = slowToOpen(ended);
  const lost = ended.client.dispatcher.send(ended.near, ask, { n: 1 });
  ended.near.close(0x08, 'user-request');
  second.stream.reject(new Error('no room'));
  t.like(await t.throwsAsync(lost), { code: 'wire/connection-closed', data: { reason: 'user-request' } });
});

test('the end of a connection ends the wait for room', async (t) => {
  const rig = wireRig();
  slowToOpen(rig);
  const lost = rig.client.dispatcher.send(rig.near, ask, { n: 1 });
  rig.near.close(0x08, 'user-request');
  t.like(await t.throwsAsync(lost), { code: 'wire/connection-closed', data: { reason: 'user-request' } });
  t.is(rig.clock.monotonic(), 0);
});

test('a stream that opens after its caller gave up is reset', async (t) => {
  const rig = wireRig();
  const { stream, open } = slowToOpen(rig);
  const controller = new AbortController();
  const sent = rig.client.dispatcher.send(rig.near, ask, { n: 1 }, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(sent, { message: 'enough' });
  const late = open();
  stream.resolve(late);
  await settle();
  t.is(late.abortedWith, RESET_CODES.cancelled);
});

test('the trace of a sender shows what went out and what came back, with whole sizes', async (t) => {
  const { client, near, serve } = wireRig();
  serve('p', [ask, echo], [ping, echo], [note, () => {}]);
  const lines: TraceRecord[] = [];
  client.dispatcher.trace.subscribe((records) => void lines.push(...records));
  await client.dispatcher.send(near, note, { n: 1 });
  await client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, ping, { n: 1 });
  await t.throwsAsync(client.dispatcher.send(near, { ...ping, name: 'acme/none@1' }, { n: 1 }));
  await settle();
  const shown = lines.map(({ direction, code, name, stream, bytes, outcome }) =>
    [direction, code, name, stream, bytes, outcome].join(' '),
  );
  t.deepEqual(shown, [
    'out 0x42 PostNotification uni 12 sent',
    'out 0xD4 PostFetchRequest bi 12 sent',
    'in 0xD5 PostFetchResponse bi 12 ok',
    'out 0xF0 acme/ping@1 bi 42 sent',
    'in 0xF0 acme/ping@1:response bi 51 ok',
    'out 0xF0 acme/none@1 bi 42 sent',
    'in 0xF1 Refused bi 27 unsupported',
  ]);
  t.true(lines.every(({ peer, connection }) => peer === near.peer.nodeId && connection === near.id));
});

test('a network that does not listen yet has nothing and dials nobody', async (t) => {
  const clock = new VirtualClock();
  const dispatcher = createDispatcher({ clock, counters: createCounters().of('wire'), log: recordingLog() });
  const network = createNetwork({
    transport: { open: () => Promise.reject(new Error('not asked for')) },
    credentials: { self: testPeer('5'), certificateChainPem: '', deviceKeyPem: '' },
    dispatcher,
    bus: { publish: () => t.fail() } as Partial<Bus> as Bus,
    clock,
    features: () => [],
    advertise: ['198.51.100.1:4433'],
  });
  t.is(network.port, 0);
  t.deepEqual(network.localAddresses(), ['198.51.100.1:4433']);
  t.deepEqual([network.connections(), network.connectionsOf(testPeer('a').nodeId)], [[], []]);
  t.deepEqual(network.counters(), {});
  t.is(network.connection(1), undefined);
  await t.throwsAsync(network.dial({ addresses: ['192.0.2.1:1'] }), { code: 'wire/closed' });
  await t.throwsAsync(network.sendTo(testPeer('a'), ask, { n: 1 }), { code: 'wire/not-connected' });
  await t.notThrowsAsync(network.shutdown());
});

test('the trace shows how calls ended: refused, malformed, given up', async (t) => {
  const { client, server, near, serve } = wireRig({ shared: false });
  const seen: string[] = [];
  const record = (side: string) => (records: readonly TraceRecord[]) =>
    void seen.push(...records.map(({ direction, code, outcome }) => `${side} ${direction} ${code} ${outcome}`));
  client.dispatcher.trace.subscribe(record('client'));
  server.dispatcher.trace.subscribe(record('server'));
  let finish: ((value: unknown) => void) | undefined;
  serve('p', [ask, () => new Promise((resolve) => (finish = resolve))]);
  const controller = new AbortController();
  const sent = client.dispatcher.send(near, ask, { n: 1 }, { signal: controller.signal });
  await settle();
  controller.abort(new Error('enough'));
  await t.throwsAsync(sent, { message: 'enough' });
  await settle();
  finish?.({ n: 1 });
  await settle();
  t.deepEqual(seen.splice(0), ['client out 0xD4 sent', 'server in 0xD4 cancelled']);
  near.far.onStream = (stream) => stream.write(Uint8Array.of(0xd5, 0, 0, 0, 1, 0x21), true);
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { code: 'wire/bad-response' });
  await settle();
  t.deepEqual(seen.splice(0), ['client out 0xD4 sent', 'client in 0xD5 malformed']);
});

test('a call that ended well leaves nothing behind to expire', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  serve('p', [ask, echo], [note, () => {}]);
  await client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, note, { n: 1 });
  await settle();
  await clock.advance(120_000);
  const counted = Object.keys({ ...server.counters.read(), ...client.counters.read() });
  t.deepEqual(
    counted.filter((name) => !name.startsWith('frames-')),
    [],
  );
  t.is(clock.pending, 0);
});
