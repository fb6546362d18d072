import test from 'ava';
import type { IncomingCall } from '../../kernel/index.ts';
import { answerOf, rawFrame } from './pair.ts';
import { ask, note, settle, wireRig } from './rig.ts';

const n = (body: unknown) => (body as { n: number }).n;

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
  t.is(server.dispatcher.router.inspect('p').running, 0);
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
