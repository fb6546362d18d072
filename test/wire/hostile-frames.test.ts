import test from 'ava';
import { defineErrors } from '../../kernel/index.ts';
import { MISBEHAVIOUR_MAX_POINTS } from '../../kernel/wire/limits.ts';
import { answerOf, rawFrame } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

const echo = (body: unknown) => body;

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

test('answers of a lying peer are not believed', async (t) => {
  const { client, near, far } = wireRig({ shared: false });
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

test('a peer that opens streams and never finishes them is bounded and let go', async (t) => {
  const { client, server, clock, near, serve } = wireRig({ shared: false });
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
