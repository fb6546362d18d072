import test from 'ava';
import { Type, defineErrors, defineExchange } from '../../kernel/index.ts';
import type { IncomingCall } from '../../kernel/index.ts';
import { MISBEHAVIOUR_MAX_POINTS } from '../../kernel/wire/limits.ts';
import { answerOf, rawFrame } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

const echo = (body: unknown) => body;
const n = (body: unknown) => (body as { n: number }).n;

test('an exchange is answered, a notice arrives, a third party message too', async (t) => {
  const { client, near, serve } = wireRig();
  const notes: unknown[] = [];
  serve('p', [ask, echo], [ping, async (body) => body], [note, (body) => void notes.push(body)]);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  t.deepEqual(await client.dispatcher.send(near, ping, { n: 2 }), { n: 2 });
  await client.dispatcher.send(near, note, { n: 3 });
  await settle();
  t.deepEqual(notes, [{ n: 3 }]);
});

test('frames that come byte by byte are read as well', async (t) => {
  const { client, near, serve } = wireRig({ chunkBytes: 1 });
  serve('p', [ask, echo], [ping, async (body) => body]);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  t.deepEqual(await client.dispatcher.send(near, ping, { n: 2 }), { n: 2 });
});

test('the call says who sent it, and gives its signal only when asked', async (t) => {
  const { client, near, far, serve } = wireRig();
  let seen: IncomingCall | undefined;
  const handler = (body: unknown, call: IncomingCall) => {
    seen = call;
    return body;
  };
  serve('p', [ask, handler]);
  await client.dispatcher.send(near, ask, { n: 1 });
  t.is(seen?.peer.nodeId, far.peer.nodeId);
  t.is(seen?.connectionId, far.id);
  t.is(seen?.bytes, '{"n":1}'.length);
  t.false(seen?.signal.aborted);
});

test('what nobody serves is unsupported: answered on bi, ignored on uni, counted, not fatal', async (t) => {
  const { client, server, near, serve } = wireRig();
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { code: 'wire/unsupported' });
  await t.throwsAsync(client.dispatcher.send(near, ping, { n: 1 }), { code: 'wire/unsupported' });
  await client.dispatcher.send(near, note, { n: 1 });
  for (const code of [0x00, 0x96, 0xff]) {
    const stream = near.openBi();
    stream.write(rawFrame(code, '{}'), true);
    t.deepEqual(await answerOf(stream), { code: 0xf1, body: { code: 'unsupported' } });
    near.openUni().write(rawFrame(code, '{}'), true);
  }
  serve('p', [ping, echo]);
  await t.throwsAsync(client.dispatcher.send(near, { ...ping, name: 'acme/pong@1' }, { n: 1 }), {
    code: 'wire/unsupported',
  });
  await settle();
  t.is(server.counters.read().unsupported, 10);
  t.is(near.closed, undefined);
});

test('an unknown field is ignored', async (t) => {
  const { near, serve } = wireRig();
  serve('p', [ask, (body) => ({ n: n(body) })]);
  const stream = near.openBi();
  stream.write(rawFrame(0xd4, '{"n":1,"later":{"x":[1]}}'), true);
  t.deepEqual(await answerOf(stream), { code: 0xd5, body: { n: 1 } });
});

test('bytes behind the frame are ignored and counted', async (t) => {
  const { server, near, serve } = wireRig();
  serve('p', [ask, echo]);
  const stream = near.openBi();
  stream.write(Buffer.concat([rawFrame(0xd4, '{"n":1}'), Buffer.from('later')]), true);
  t.deepEqual(await answerOf(stream), { code: 0xd5, body: { n: 1 } });
  t.is(server.counters.read()['ignored-bytes'], 5);
});

for (const [what, bytes, counter] of [
  ['invalid UTF-8', rawFrame(0xd4, Uint8Array.of(0x22, 0xff, 0x22)), 'malformed:utf8'],
  ['broken JSON', rawFrame(0xd4, '{"n":'), 'malformed:json'],
  ['deep JSON', rawFrame(0xd4, '['.repeat(500)), 'malformed:depth'],
  ['a wrong type', rawFrame(0xd4, '{"n":"1"}'), 'malformed:schema'],
  ['a missing field', rawFrame(0xd4, '{}'), 'malformed:schema'],
  ['null', rawFrame(0xd4, 'null'), 'malformed:no-object'],
  ['an array', rawFrame(0xd4, '[1]'), 'malformed:no-object'],
  ['an empty payload', rawFrame(0xd4, ''), 'malformed:json'],
  ['a frame cut short', rawFrame(0xd4, '{"n":1', 50), 'malformed:truncated'],
  ['a header cut short', Uint8Array.of(0xd4, 0), 'malformed:truncated'],
  ['an envelope without a name', rawFrame(0xf0, '{"body":{"n":1}}'), 'malformed:envelope'],
  ['a uni code on a bi-stream', rawFrame(0x42, '{"n":1}'), 'malformed:wrong-stream'],
] as const) {
  test(`${what} ends that stream only, counted, and the handler is not called`, async (t) => {
    const { client, server, near, serve } = wireRig();
    let calls = 0;
    const handler = (body: unknown) => {
      calls++;
      return body;
    };
    serve('p', [ask, handler], [note, handler], [ping, handler]);
    const stream = near.openBi();
    stream.write(bytes, true);
    t.deepEqual(await answerOf(stream), { code: 0xf1, body: { code: 'malformed' } });
    t.is(calls, 0);
    t.is(server.counters.read()[counter], 1);
    t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  });
}

test('a length over the message limit, and over 16 MiB, is refused from its header', async (t) => {
  const { server, near, serve } = wireRig();
  serve('p', [ask, echo], [ping, echo]);
  for (const [code, length] of [
    [0xd4, 1_025],
    [0xf0, 2_000],
    [0xd4, 16 * 1024 * 1024 + 1],
    [0xd4, 0xffffffff],
  ] as const) {
    const stream = near.openBi();
    stream.write(rawFrame(code, '', length), false);
    t.deepEqual(await answerOf(stream), { code: 0xf1, body: { code: 'too-large' } });
  }
  t.is(server.counters.read()['too-large'], 4);
});

test('a peer over its budget is told when to come back, and others are served', async (t) => {
  const { client, server, clock, near, connect, serve } = wireRig();
  const scarce = { ...ask, budget: { perSecond: 2, burst: 3, inFlight: 8 } };
  serve('p', [scarce, echo]);
  for (let n = 0; n < 3; n++) await client.dispatcher.send(near, scarce, { n });
  const refused = await t.throwsAsync(client.dispatcher.send(near, scarce, { n: 4 }), { code: 'wire/rate-limited' });
  t.like(refused, { retryable: true, data: { retry_after_ms: 500 } });
  const [other] = connect('d');
  await client.dispatcher.send(other, scarce, { n: 5 });
  await clock.advance(500);
  await client.dispatcher.send(near, scarce, { n: 6 });
  t.is(server.counters.read()['rate-limited:PostFetchRequest'], 1);
});

test('a budget is not fresh after a reconnect', async (t) => {
  const { client, near, connect, serve } = wireRig();
  const scarce = { ...ask, budget: { perSecond: 0.1, burst: 1, inFlight: 8 } };
  serve('p', [scarce, echo]);
  await client.dispatcher.send(near, scarce, { n: 1 });
  near.close(0, 'done');
  const [again] = connect('c');
  await t.throwsAsync(client.dispatcher.send(again, scarce, { n: 2 }), { code: 'wire/rate-limited' });
});

test('a flood of notices is dropped by name and does not count as misbehaviour', async (t) => {
  const { server, near, serve } = wireRig();
  let calls = 0;
  serve('p', [{ ...note, budget: { perSecond: 1, burst: 10, inFlight: 100 } }, () => void calls++]);
  for (let n = 0; n < 1_000; n++) near.openUni().write(rawFrame(0x42, `{"n":${n}}`), true);
  await settle();
  t.is(calls, 10);
  t.is(server.counters.read()['rate-limited:PostNotification'], 990);
  t.is(near.closed, undefined);
});

test('a peer that goes on sending garbage is closed for misbehaviour, and forgiven with time', async (t) => {
  const { clock, near, connect, serve } = wireRig();
  serve('p', [ask, echo]);
  const garbage = async (connection: typeof near, count: number) => {
    for (let n = 0; n < count; n++)
      if (connection.closed === undefined) connection.openBi().write(rawFrame(0xd4, '{'), true);
    await settle();
  };
  await garbage(near, MISBEHAVIOUR_MAX_POINTS);
  t.is(near.closed, undefined);
  await garbage(near, 1);
  t.like(near.closed, { code: 0x05, reason: 'misbehaviour', byPeer: true });
  const [again] = connect('c');
  t.like(again.closed, { reason: 'misbehaviour' });
  await clock.advance(60_000);
  const [later] = connect('c');
  await garbage(later, 10);
  t.is(later.closed, undefined);
});

test('forged content, as a handler reports it, costs more than garbage', async (t) => {
  const { server, near, serve } = wireRig();
  const errors = defineErrors('test', { forged: { message: 'bad signature', blamesPeer: true } });
  serve('p', [note, () => Promise.reject(errors.make('forged'))]);
  for (let n = 0; n < 11; n++) near.openUni().write(rawFrame(0x42, '{"n":1}'), true);
  await settle();
  t.is(server.counters.read()['forged:PostNotification'], 11);
  t.like(near.closed, { reason: 'misbehaviour' });
});

test('a failing handler gives the peer a code and never a text', async (t) => {
  const { client, server, near, serve } = wireRig();
  const errors = defineErrors('test', { gone: { message: 'secret', peerVisible: true }, inner: { message: 'secret' } });
  let failure: Error = new TypeError('secret');
  serve('p', [
    ask,
    () => {
      throw failure;
    },
  ]);
  const frames: string[] = [];
  client.dispatcher.trace.subscribe((records) => void frames.push(JSON.stringify(records)));
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { message: /failed/, code: 'wire/refused' });
  t.deepEqual(server.log.events(), ['handler-failed']);
  failure = errors.make('inner');
  t.like(await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 })), { data: { code: 'failed' } });
  failure = errors.make('gone');
  t.like(await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 })), { data: { code: 'test/gone' } });
  t.notRegex(frames.join(), /secret/);
});

test('an answer that breaks its own schema does not leave the node', async (t) => {
  const { client, server, near, serve } = wireRig();
  serve('p', [ask, () => ({ n: 'one' })]);
  t.like(await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 })), { data: { code: 'failed' } });
  t.deepEqual(server.log.events(), ['bad-answer']);
});

test('an answer that is too large or no JSON does not leave the node', async (t) => {
  const { client, near, serve } = wireRig();
  const any = defineExchange({ ...ask, response: { ...ask.response, body: Type.Any() } });
  serve('p', [any, (body) => (n(body) === 1 ? { pad: 'x'.repeat(2_000) } : n(body) === 2 ? 1n : undefined)]);
  for (const n of [1, 2, 3])
    t.like(await t.throwsAsync(client.dispatcher.send(near, any, { n })), { data: { code: 'failed' } });
});

test('a body that does not match is refused here and never sent', async (t) => {
  const { client, server, near } = wireRig();
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 'x' } as never), { code: 'wire/bad-body' });
  t.is(server.counters.read()['frames-in'], undefined);
});

test('answers of a lying peer are not believed', async (t) => {
  const { client, near, far } = wireRig();
  const lies: [Uint8Array, string][] = [
    [rawFrame(0xd5, '{"n":"x"}'), 'wire/bad-response'],
    [rawFrame(0xd5, '{'), 'wire/bad-response'],
    [rawFrame(0x41, '{"n":1}'), 'wire/bad-response'],
    [rawFrame(0xd5, '', 5_000), 'wire/bad-response'],
    [rawFrame(0xd5, '{"n":', 100), 'wire/bad-response'],
    [rawFrame(0xf1, '{"code":"<script>"}'), 'wire/bad-response'],
    [rawFrame(0xf1, '{}'), 'wire/bad-response'],
    [rawFrame(0xf1, '{"code":"over-capacity"}'), 'wire/over-capacity'],
    [new Uint8Array(), 'wire/bad-response'],
  ];
  for (const [lie, code] of lies) {
    far.onStream = (stream) => stream.write(lie, true);
    await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { code });
  }
});

test('the deadline of a message ends the handler and tells the peer', async (t) => {
  const { clock, near, server, serve } = wireRig();
  let reason: unknown;
  serve('p', [
    { ...ask, deadlineMs: 2_000 },
    (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(reason);
        });
      }),
  ]);
  const stream = near.openBi();
  stream.write(rawFrame(0xd4, '{"n":1}'), true);
  const answer = answerOf(stream);
  await clock.advance(1_999);
  t.is(reason, undefined);
  await clock.advance(100);
  t.like(reason, { code: 'wire/deadline' });
  t.deepEqual(await answer, { code: 0xf1, body: { code: 'deadline' } });
  t.is(server.counters.read()['deadline:PostFetchRequest'], 1);
  t.is(server.dispatcher.slots.inspect('p').running, 0);
});

test('a sender gives up at its deadline, and the handler over there is told', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  let aborted = false;
  serve('p', [ask, (_, { signal }) => new Promise(() => signal.addEventListener('abort', () => (aborted = true)))]);
  const sent = client.dispatcher.send(near, ask, { n: 1 }, { deadlineMs: 300 });
  await settle();
  const failed = t.throwsAsync(sent, { code: 'wire/deadline' });
  await clock.advance(400);
  await failed;
  await settle();
  t.true(aborted);
  t.is(server.counters.read()['cancelled:PostFetchRequest'], 1);
});

test('an abort of the caller rejects with its reason and resets the stream', async (t) => {
  const { client, near, serve } = wireRig();
  let aborted = false;
  serve('p', [ask, (_, { signal }) => new Promise(() => signal.addEventListener('abort', () => (aborted = true)))]);
  const controller = new AbortController();
  const sent = client.dispatcher.send(near, ask, { n: 1 }, { signal: controller.signal });
  await settle();
  controller.abort(new Error('enough'));
  await t.throwsAsync(sent, { message: 'enough' });
  await settle();
  t.true(aborted);
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }, { signal: controller.signal }), {
    message: 'enough',
  });
});

test('a closed connection rejects what waits and aborts what runs', async (t) => {
  const { client, near, serve } = wireRig();
  const aborted: unknown[] = [];
  const wait = (_: unknown, { signal }: IncomingCall) =>
    new Promise(() => signal.addEventListener('abort', () => aborted.push(signal.reason)));
  serve('p', [ask, wait], [note, wait]);
  const sent = client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, note, { n: 1 });
  await settle();
  near.close(0x08, 'user-request');
  t.like(await t.throwsAsync(sent), { code: 'wire/connection-closed', data: { reason: 'user-request' } });
  t.is(aborted.length, 2);
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { code: 'wire/not-connected' });
});

test('a peer that opens streams and never finishes them is bounded and let go', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  serve('p', [{ ...note, maxBytes: 1024 * 1024 }, () => {}], [ask, echo]);
  const streams = Array.from({ length: 300 }, () => near.openUni());
  for (const [at, stream] of streams.entries())
    stream.write(at % 2 ? rawFrame(0x42, '{"n"', 900_000) : Uint8Array.of(0x42), false);
  await settle();
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 }, 'it is still served');
  await clock.advance(11_000);
  await settle();
  t.true(streams.every(({ abortedWith, connection }) => abortedWith === undefined && connection.closed === undefined));
  t.like(server.counters.read(), { 'deadline:PostNotification': 150, 'deadline:unknown': 150 });
  t.is(near.live.size, 0);
});

test('large frames that come in pieces take turns within the connection limit, and all arrive', async (t) => {
  const { client, near, serve } = wireRig({ chunkBytes: 100_000, wipe: true });
  const sizes: number[] = [];
  serve('p', [
    { ...note, maxBytes: 16 * 1024 * 1024 },
    (body) => void sizes.push((body as { pad: string }).pad.length),
  ]);
  const big = { ...note, maxBytes: 16 * 1024 * 1024 };
  const pads = Array.from({ length: 6 }, (_, at) => 12_000_000 + at);
  await Promise.all(pads.map((length) => client.dispatcher.send(near, big, { n: 1, pad: 'x'.repeat(length) })));
  while (sizes.length < pads.length) await settle();
  t.deepEqual(sizes.sort(), pads);
});

test('more calls than may be in flight wait their turn in order', async (t) => {
  const { client, near, serve } = wireRig();
  const started: number[] = [];
  const release: (() => void)[] = [];
  serve('p', [
    { ...ask, budget: { perSecond: 1e3, burst: 1e3, inFlight: 2 } },
    (body) => {
      started.push(n(body));
      return new Promise((resolve) => release.push(() => resolve(body)));
    },
  ]);
  const sent = Array.from({ length: 6 }, (_, n) => client.dispatcher.send(near, ask, { n }));
  await settle();
  t.deepEqual(started, [0, 1]);
  while (release.length > 0) {
    release.shift()?.();
    await settle();
  }
  t.deepEqual(started, [0, 1, 2, 3, 4, 5]);
  t.deepEqual(
    await Promise.all(sent),
    [0, 1, 2, 3, 4, 5].map((n) => ({ n })),
  );
});

test('a thousand waiting calls that end at once do not nest', async (t) => {
  const { near, serve } = wireRig();
  let first: (() => void) | undefined;
  let done = 0;
  serve('p', [
    { ...note, budget: { perSecond: 1e6, burst: 1e6, inFlight: 1 } },
    () => {
      done++;
      return first ? undefined : new Promise<void>((resolve) => (first = resolve));
    },
  ]);
  for (let n = 0; n < 20_000; n++) near.openUni().write(rawFrame(0x42, `{"n":${n}}`), true);
  await settle();
  t.is(done, 1);
  first?.();
  await settle();
  t.is(done, 20_000);
});

test('the trace shows every frame once, and listeners that fail or lag are held apart', async (t) => {
  const { client, server, near, serve } = wireRig();
  serve('p', [ask, echo]);
  const lines: unknown[] = [];
  let dropped = 0;
  let go: (() => void) | undefined;
  server.dispatcher.trace.subscribe(() => {
    throw new Error('bad listener');
  });
  const stop = server.dispatcher.trace.subscribe((records) => void lines.push(...records));
  server.dispatcher.trace.subscribe(async (_, lost) => {
    dropped += lost;
    await new Promise<void>((resolve) => (go = resolve));
  });
  await client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  t.like(lines[0], {
    direction: 'out',
    code: '0xD5',
    name: 'PostFetchResponse',
    stream: 'bi',
    bytes: 12,
    outcome: 'sent',
  });
  t.like(lines[1], { direction: 'in', code: '0xD4', name: 'PostFetchRequest', stream: 'bi', bytes: 12, outcome: 'ok' });
  for (let n = 0; n < 3_000; n++) await client.dispatcher.send(near, ask, { n });
  t.is(lines.length, 6_002);
  go?.();
  await settle();
  t.true(dropped > 0);
  stop();
  await client.dispatcher.send(near, ask, { n: 1 });
  t.is(lines.length, 6_002);
  t.true(server.log.events().includes('trace-listener-failed'));
});
