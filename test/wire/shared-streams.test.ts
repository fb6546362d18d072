import test from 'ava';
import { defineNotice, defineRequest, RAW_BLOB, Type, withBytes } from '../../kernel/index.ts';
import { HOLD_MAX_FRAMES, RESET_CODES, SHARED_FRAME_MAX_BYTES } from '../../kernel/wire/limits.ts';
import { ANSWER_STREAM_CODE, CAPSULE_KINDS, SHARED_STREAMS } from '../../kernel/wire/shared/capsule.ts';
import { rawFrame } from './pair.ts';
import type { FakeConnection, FakeStream } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';
import {
  answerByHand,
  encodeCapsule,
  encodeElsewhere,
  encodeReset,
  openShared,
  capsulesOf,
  requestCapsule,
} from './shared-rig.ts';

const echo = (body: unknown) => body;
const GENEROUS = { perSecond: 1e6, burst: 1e6, inFlight: 1_000 };

/** Answers with as many characters as it is asked for. */
const sized = defineRequest({
  name: 'acme/sized@1',
  about: 'A text of this length',
  body: Type.Object({ length: Type.Integer() }),
  maxBytes: 1_024,
  budget: GENEROUS,
  response: { body: Type.Object({ text: Type.String() }), maxBytes: 2 * 1024 * 1024 },
});

const text = (body: unknown) => ({ text: 'x'.repeat((body as { length: number }).length) });

/** The streams this end opens from now on, by the first byte written. */
function opened(connection: FakeConnection): string[] {
  const kinds: string[] = [];
  for (const kind of ['openBi', 'openUni'] as const) {
    const open = connection[kind].bind(connection);
    connection[kind] = () => {
      kinds.push(kind);
      return open();
    };
  }
  return kinds;
}

test('requests and notices of a peer with the feature share one stream', async (t) => {
  const { client, near, serve } = wireRig();
  const streams = opened(near);
  const notes: unknown[] = [];
  serve('p', [ask, echo], [ping, echo], [note, (body) => void notes.push(body)]);
  for (let n = 0; n < 20; n++) {
    t.deepEqual(await client.dispatcher.send(near, ask, { n }), { n });
    t.deepEqual(await client.dispatcher.send(near, ping, { n }), { n });
    await client.dispatcher.send(near, note, { n });
  }
  await settle();
  t.is(notes.length, 20);
  t.deepEqual(streams, ['openBi']);
});

test('a peer without the feature gets a stream for each message', async (t) => {
  const { client, near, serve } = wireRig({ shared: false });
  const streams = opened(near);
  serve('p', [ask, echo], [note, () => {}]);
  await client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, note, { n: 1 });
  t.deepEqual(streams, ['openBi', 'openUni']);
});

test('a frame of 4 KiB shares a stream, and one byte more has its own', async (t) => {
  const { client, near, serve } = wireRig();
  const streams = opened(near);
  const lengths: number[] = [];
  serve('p', [note, (_body, { bytes }) => void lengths.push(bytes)]);
  const pad = 'x'.repeat(SHARED_FRAME_MAX_BYTES - '{"n":1,"pad":""}'.length);
  await client.dispatcher.send(near, note, { n: 1, pad });
  t.deepEqual(streams, ['openBi']);
  await client.dispatcher.send(near, note, { n: 1, pad: `${pad}x` });
  t.deepEqual(streams, ['openBi', 'openUni']);
  await settle();
  t.deepEqual(lengths, [4_096, 4_097]);
});

test('an answer of more than 4 KiB comes on a stream of its own, and small ones pass it', async (t) => {
  const { client, near, far, serve } = wireRig({ chunkBytes: 1_000 });
  const streams = opened(near);
  const back = opened(far);
  serve('p', [sized, text], [ask, echo]);
  const big = client.dispatcher.send(near, sized, { length: 1_000_000 });
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  t.is((await big).text.length, 1_000_000);
  t.is((await client.dispatcher.send(near, sized, { length: 4_000 })).text.length, 4_000);
  t.deepEqual([streams, back], [['openBi'], ['openUni']]);
});

test('an answer on a stream of its own is read while new streams of the connection are not', async (t) => {
  const { client, server, near, far, serve } = wireRig();
  const scarce = { ...note, budget: { ...GENEROUS, inFlight: 1 } };
  client.dispatcher.router.install('c', [{ message: sized, handler: text }]);
  // The handler of the server asks the peer that floods it, and its answer is long.
  const lengths: number[] = [];
  serve('p', [
    scarce,
    async () => {
      const answer = await server.dispatcher.send(far, sized, { length: 10_000 });
      lengths.push(answer.text.length);
    },
  ]);
  const pad = 'x'.repeat(200_000);
  const notes = Array.from({ length: 12 }, (_, n) => client.dispatcher.send(near, scarce, { n, pad }));
  for (let turn = 0; turn < 40; turn++) await settle();
  await Promise.all(notes);
  t.deepEqual(
    lengths,
    Array.from({ length: 12 }, () => 10_000),
  );
});

test('a call that is called off is told in a capsule, and the stream and its other calls go on', async (t) => {
  const { client, server, near, serve } = wireRig();
  const streams = opened(near);
  const aborted: number[] = [];
  const finish: (() => void)[] = [];
  serve('p', [
    ask,
    (body, call) =>
      new Promise((resolve) => {
        const { n } = body as { n: number };
        call.signal.addEventListener('abort', () => aborted.push(n));
        finish.push(() => resolve(body));
      }),
  ]);
  const caller = new AbortController();
  const first = client.dispatcher.send(near, ask, { n: 1 }, { signal: caller.signal });
  const second = client.dispatcher.send(near, ask, { n: 2 });
  await settle();
  caller.abort(new Error('enough'));
  await t.throwsAsync(first, { message: 'enough' });
  await settle();
  t.deepEqual(aborted, [1]);
  t.is(server.counters.read()['cancelled:PostFetchRequest'], 1);
  for (const end of finish) end();
  t.deepEqual(await second, { n: 2 });
  t.deepEqual(streams, ['openBi']);
});

test('an answer that comes too late is dropped, in a capsule and on a stream of its own', async (t) => {
  const { client, clock, near, serve } = wireRig();
  const finish: (() => void)[] = [];
  serve('p', [sized, (body) => new Promise((resolve) => finish.push(() => resolve(text(body))))]);
  for (const length of [10, 10_000]) {
    const sent = client.dispatcher.send(near, sized, { length }, { deadlineMs: 100 });
    await settle();
    await clock.advance(200);
    await t.throwsAsync(sent, { code: 'wire/deadline' });
  }
  for (const end of finish.splice(0)) end();
  await settle();
  const again = client.dispatcher.send(near, sized, { length: 10 });
  await settle();
  for (const end of finish) end();
  t.is((await again).text.length, 10);
  t.is(near.closed, undefined);
});

test('a request the peer leaves unanswered fails alone', async (t) => {
  const { client, near, far } = wireRig();
  answerByHand(far, (stream, { id, body }) => {
    const { n } = body as { n: number };
    if (n === 1) stream.write(encodeReset(id, RESET_CODES.failed), false);
    else stream.write(encodeCapsule(CAPSULE_KINDS.answer, id, rawFrame(0xd5, `{"n":${n}}`)), false);
  });
  const first = client.dispatcher.send(near, ask, { n: 1 });
  const second = client.dispatcher.send(near, ask, { n: 2 });
  await t.throwsAsync(first, { code: 'wire/refused', message: /stream-reset\/21/ });
  t.deepEqual(await second, { n: 2 });
});

test('a background message has a shared stream of its own', async (t) => {
  const { client, near, serve } = wireRig();
  const streams = opened(near);
  const slow = defineNotice({
    name: 'acme/slow@1',
    about: 'Can wait',
    body: Type.Object({}),
    maxBytes: 64,
    budget: GENEROUS,
    priority: 'background',
  });
  let got = 0;
  serve('p', [slow, () => void got++], [ask, echo]);
  await client.dispatcher.send(near, slow, {});
  await client.dispatcher.send(near, slow, {});
  await client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  t.is(got, 2);
  t.deepEqual(streams, ['openBi', 'openBi']);
});

test('a refusal, a malformed payload and a handler that fails end their call only', async (t) => {
  const { server, near, serve } = wireRig();
  serve('p', [ask, (body) => ((body as { n: number }).n === 3 ? Promise.reject(new Error('no')) : body)]);
  const stream = openShared(near);
  const { seen } = capsulesOf(stream);
  stream.write(encodeCapsule(CAPSULE_KINDS.request, 1, rawFrame(0xd4, '{"n":')), false);
  stream.write(encodeCapsule(CAPSULE_KINDS.request, 2, rawFrame(0x40, '{}')), false);
  stream.write(requestCapsule(3, 3), false);
  stream.write(requestCapsule(4, 4), false);
  await settle();
  await settle();
  t.deepEqual(
    seen.sort((a, b) => a.id - b.id).map(({ id, code, body }) => [id, code, body]),
    [
      [1, 0xf1, { code: 'malformed' }],
      [2, 0xf1, { code: 'unsupported' }],
      [3, 0xf1, { code: 'failed' }],
      [4, 0xd5, { n: 4 }],
    ],
  );
  t.is(server.counters.read()['malformed:json'], 1);
});

test('a shared stream that its opener ends is answered to the last request and ended', async (t) => {
  const { near, serve } = wireRig();
  let finish: (() => void) | undefined;
  serve('p', [ask, (body) => new Promise((resolve) => (finish = () => resolve(body)))]);
  const stream = openShared(near);
  const { seen } = capsulesOf(stream);
  stream.write(requestCapsule(1, 1), true);
  await settle();
  t.false(stream.readEnded);
  finish?.();
  await settle();
  t.is(seen.length, 1);
  t.true(stream.readEnded);
  t.is(near.live.size, 0);
});

test('the end of the connection ends calls on both sides', async (t) => {
  const { client, server, near, serve } = wireRig();
  let aborted = false;
  serve('p', [ask, (_body, call) => new Promise(() => call.signal.addEventListener('abort', () => (aborted = true)))]);
  const sent = client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  near.close(0, 'done');
  await t.throwsAsync(sent, { code: 'wire/connection-closed' });
  t.true(aborted);
  t.is(server.counters.read()['cancelled:PostFetchRequest'], 1);
});

test('a peer that stops offering the feature gets streams of their own again', async (t) => {
  const { client, attachment, near, serve } = wireRig();
  const streams = opened(near);
  serve('p', [ask, echo]);
  await client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, ask, { n: 2 });
  attachment.features = new Set();
  await client.dispatcher.send(near, ask, { n: 3 });
  attachment.features = new Set([SHARED_STREAMS]);
  await client.dispatcher.send(near, ask, { n: 4 });
  t.deepEqual(streams, ['openBi', 'openBi']);
});

test('a request with raw bytes behind its answer has a stream of its own', async (t) => {
  const { client, server, attachment, near, far } = wireRig();
  for (const attached of [attachment, server.dispatcher.attach(far)]) {
    attached.features = new Set([SHARED_STREAMS, RAW_BLOB]);
  }
  const streams = opened(near);
  const file = defineRequest({
    ...sized,
    name: 'acme/file@1',
    response: { body: Type.Object({}), maxBytes: 64, raw: { maxBytes: 100 } },
  });
  server.dispatcher.router.install('p', [{ message: file, handler: () => withBytes({}, 3, [Buffer.from('abc')]) }]);
  const { bytes } = await client.dispatcher.send(near, file, { length: 1 });
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes ?? []) chunks.push(chunk);
  t.is(Buffer.concat(chunks).toString(), 'abc');
  await client.dispatcher.send(near, ping, { n: 1 }).catch(() => {});
  t.deepEqual(streams, ['openBi', 'openBi']);
});

test('a long answer that waits for its stream keeps the place of its call, and one that gets none fails', async (t) => {
  const { client, near, far, serve } = wireRig();
  let called = 0;
  const handler = (body: unknown) => {
    called++;
    return text(body);
  };
  serve('p', [{ ...sized, budget: { ...GENEROUS, inFlight: 1 } }, handler]);
  const openUni = far.openUni.bind(far);
  let open: (() => void) | undefined;
  let refuse: (() => void) | undefined;
  Reflect.set(
    far,
    'openUni',
    () =>
      new Promise((resolve, reject) => {
        open = () => resolve(openUni());
        refuse = () => reject(new Error('none left'));
      }),
  );
  const first = client.dispatcher.send(near, sized, { length: 5_000 });
  const second = client.dispatcher.send(near, sized, { length: 6_000 });
  await settle();
  t.is(called, 1);
  open?.();
  t.is((await first).text.length, 5_000);
  await settle();
  t.is(called, 2);
  refuse?.();
  await t.throwsAsync(second, { code: 'wire/refused', message: /stream-reset\/21/ });
  const third = client.dispatcher.send(near, sized, { length: 7_000 });
  await settle();
  open?.();
  t.is((await third).text.length, 7_000);
});

test('an answer whose stream comes behind the word of it is read while new streams are not', async (t) => {
  const { client, near, far } = wireRig();
  const { router } = client.dispatcher;
  router.install('p', [{ message: note, handler: () => {} }]);
  router.hold('p');
  for (let n = 0; n < HOLD_MAX_FRAMES + 2; n++) far.openUni().write(rawFrame(0x42, '{"n":1}'), true);
  await settle();
  t.is(router.inspect('p').held, HOLD_MAX_FRAMES + 1, 'new streams are left unread');
  let answer: (() => void) | undefined;
  answerByHand(far, (stream, { id }) => {
    const own = far.openUni();
    stream.write(encodeElsewhere(id, own.id), false);
    answer = () => own.write(encodeCapsule(ANSWER_STREAM_CODE, id, rawFrame(0xd5, '{"n":5}')), true);
  });
  const sent = client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  answer?.();
  t.deepEqual(await sent, { n: 5 });
  t.is(router.inspect('p').held, HOLD_MAX_FRAMES + 1);
});

test('an answer that breaks off on a stream of its own fails its call, and one that is called off stops it', async (t) => {
  const { client, near, far } = wireRig();
  const own: FakeStream[] = [];
  answerByHand(far, (_stream, { id, kind }) => {
    if (kind !== CAPSULE_KINDS.request) return;
    const stream = far.openUni();
    own.push(stream);
    const frame = rawFrame(0xf0, '{"name":"acme/sized@1:response","body":{"text":"', 50_000);
    stream.write(encodeCapsule(ANSWER_STREAM_CODE, id, frame), false);
  });
  const first = client.dispatcher.send(near, sized, { length: 1 });
  await settle();
  own[0]?.abort(RESET_CODES.failed);
  await t.throwsAsync(first, { code: 'wire/refused', message: /stream-reset\/21/ });
  const caller = new AbortController();
  const second = client.dispatcher.send(near, sized, { length: 1 }, { signal: caller.signal });
  await settle();
  let stopped: number | undefined;
  if (own[1] !== undefined) own[1].onAbort = ({ code }) => (stopped = code);
  caller.abort(new Error('enough'));
  await t.throwsAsync(second, { message: 'enough' });
  await settle();
  t.is(stopped, RESET_CODES.cancelled);
});
