import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { defineRequest } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { createDispatcher } from '../../kernel/wire/index.ts';
import { HEADER_DEADLINE_MS, RESET_CODES, TRAILING_MAX_BYTES } from '../../kernel/wire/limits.ts';
import { recordingLog } from '../rig/recording-log.ts';
import { connectionPair, rawFrame, testPeer } from './pair.ts';
import type { FakeStream, PairOptions } from './pair.ts';
import { ask, ping, settle } from './rig.ts';

/** What a peer may answer that does not keep to the rules: the test writes the other side's bytes. */

const ASK_ANSWER = 0xd5;
const EXTENSION = 0xf0;
const REFUSED = 0xf1;

/** A sender whose peer does as `serve` says with every stream. */
function rig(serve: (stream: FakeStream) => void, options: PairOptions = {}) {
  const clock = new VirtualClock();
  const counters = createCounters().of('wire');
  const dispatcher = createDispatcher({ clock, counters, log: recordingLog() });
  const [near, far] = connectionPair(testPeer('c'), testPeer('5'), options);
  dispatcher.attach(near);
  near.onClose = () => dispatcher.detach(near);
  const streams: FakeStream[] = [];
  const resets: (number | undefined)[] = [];
  far.onStream = (incoming) => {
    const stream = incoming as FakeStream;
    streams.push(stream);
    stream.onAbort = ({ code }) => resets.push(code);
    stream.onData = (_chunk, fin) => {
      if (fin) serve(stream);
    };
  };
  return { clock, near, streams, resets, counted: () => counters.read(), send: dispatcher.send.bind(dispatcher, near) };
}

/** A good answer with this many bytes of payload. */
const padded = (bytes: number): Uint8Array =>
  rawFrame(ASK_ANSWER, `{"n":1,"pad":"${'x'.repeat(bytes - '{"n":1,"pad":""}'.length)}"}`);

const answering = (bytes: Uint8Array, fin = true) => rig((stream) => stream.write(bytes, fin));

const wrong: Record<string, Uint8Array> = {
  'another code': rawFrame(0x41, '{"n":1}'),
  'no JSON': rawFrame(ASK_ANSWER, '{"n":'),
  'what its schema does not allow': rawFrame(ASK_ANSWER, '{"n":"one"}'),
  'a frame one byte too large': padded(1_025),
  null: rawFrame(ASK_ANSWER, 'null'),
  'a number': rawFrame(ASK_ANSWER, '7'),
  'an extension frame': rawFrame(EXTENSION, '{"name":"PostFetchResponse","body":{"n":1}}'),
  'a refusal without a code': rawFrame(REFUSED, '{}'),
  'a refusal that is null': rawFrame(REFUSED, 'null'),
  'a refusal in capitals': rawFrame(REFUSED, '{"code":"NO"}'),
  'a refusal whose code is too long': rawFrame(REFUSED, `{"code":"${'x'.repeat(65)}"}`),
  'a refusal of more than a kilobyte': rawFrame(REFUSED, `{"code":"no","pad":"${'x'.repeat(1_024)}"}`),
};

for (const [name, bytes] of Object.entries(wrong)) {
  test(`an answer that is ${name} is no answer, and the peer is told that it was malformed`, async (t) => {
    const { send, counted, resets } = answering(bytes, false);
    await t.throwsAsync(send(ask, { n: 1 }), { code: 'wire/bad-response' });
    await settle();
    t.is(counted()['bad-response:PostFetchRequest'], 1);
    t.deepEqual(resets, [RESET_CODES.malformed]);
  });
}

for (const bytes of [1, 4, 5, 9]) {
  test(`an answer that ends after ${bytes} of its bytes is no answer`, async (t) => {
    const { send, counted } = answering(rawFrame(ASK_ANSWER, '{"n":1}').subarray(0, bytes));
    t.like(await t.throwsAsync(send(ask, { n: 1 })), { code: 'wire/bad-response', data: { reason: 'truncated' } });
    t.is(counted()['bad-response:PostFetchRequest'], 1);
  });
}

test('an answer as large as allowed is taken, in one piece or many', async (t) => {
  const frame = padded(1_024);
  for (const chunkBytes of [1, 100, frame.length]) {
    const { send } = rig((stream) => stream.write(frame, true), { chunkBytes });
    t.like(await send(ask, { n: 1 }), { n: 1 });
  }
});

for (const [code, expected] of Object.entries({
  unsupported: 'wire/unsupported',
  'rate-limited': 'wire/rate-limited',
  'over-capacity': 'wire/over-capacity',
  interrupted: 'wire/interrupted',
  deadline: 'wire/refused',
  'content/no-such-post': 'wire/refused',
  ['x'.repeat(64)]: 'wire/refused',
})) {
  test(`the refusal ${code} is told as ${expected}`, async (t) => {
    const { send, counted, near } = answering(rawFrame(REFUSED, JSON.stringify({ code, retry_after_ms: 250 })));
    t.like(await t.throwsAsync(send(ask, { n: 1 })), { code: expected, data: { code, retry_after_ms: 250 } });
    t.is(counted()['refused-by-peer:PostFetchRequest'], 1);
    t.is(near.closed, undefined);
  });
}

test('a time to come back that is no number is left out', async (t) => {
  const { send } = answering(rawFrame(REFUSED, '{"code":"rate-limited","retry_after_ms":"soon"}'));
  const error = await t.throwsAsync<Error & { data: object }>(send(ask, { n: 1 }));
  t.false('retry_after_ms' in error.data);
});

test('the answer to a third party message carries the name that was declared', async (t) => {
  const answer = (name: string) => rawFrame(EXTENSION, JSON.stringify({ name, body: { n: 1 } }));
  const named = defineRequest({ ...ping, response: { ...ping.response, name: 'acme/pong@1' } as never });
  const right = answering(answer(named.response.name));
  t.deepEqual(await right.send(named, { n: 1 }), { n: 1 });
  const wrongly = answering(answer('acme/other@1'));
  await t.throwsAsync(wrongly.send(named, { n: 1 }), { code: 'wire/bad-response' });
  const empty = answering(rawFrame(EXTENSION, 'null'));
  await t.throwsAsync(empty.send(named, { n: 1 }), { code: 'wire/bad-response' });
});

test('a stream that the peer resets says with which code', async (t) => {
  const { send } = rig((stream) => stream.abort(7));
  t.like(await t.throwsAsync(send(ask, { n: 1 })), { code: 'wire/refused', data: { code: 'stream-reset/7' } });
});

test('bytes behind an answer are counted and ignored up to 64 KiB, then the stream is let go', async (t) => {
  const answer = rawFrame(ASK_ANSWER, '{"n":1}');
  const some = rig((stream) => stream.write(Buffer.concat([answer, Buffer.alloc(TRAILING_MAX_BYTES)]), false));
  t.deepEqual(await some.send(ask, { n: 1 }), { n: 1 });
  await settle();
  t.is(some.counted()['ignored-bytes'], TRAILING_MAX_BYTES);
  t.deepEqual(some.resets, []);
  some.streams[0]?.write(Buffer.alloc(1), false);
  await settle();
  t.deepEqual(some.resets, [RESET_CODES.refused]);
  t.is(some.near.closed, undefined);
});

test('a stream that the peer does not end after its answer is let go in time, one that it ends is not reset', async (t) => {
  const answer = rawFrame(ASK_ANSWER, '{"n":1}');
  const open = rig((stream) => stream.write(answer, false));
  t.deepEqual(await open.send(ask, { n: 1 }), { n: 1 });
  await open.clock.advance(HEADER_DEADLINE_MS - 1);
  t.deepEqual(open.resets, []);
  await open.clock.advance(100);
  t.deepEqual(open.resets, [RESET_CODES.deadline]);
  const ended = rig((stream) => stream.write(answer, true));
  await ended.send(ask, { n: 1 });
  await ended.clock.advance(2 * HEADER_DEADLINE_MS);
  t.deepEqual(ended.resets, []);
  t.is(ended.clock.pending, 0);
});

test('a caller may wait less than the deadline of the message, not more', async (t) => {
  for (const [deadlineMs, expected] of [
    [500, 500],
    [60_000, ask.deadlineMs],
    [undefined, ask.deadlineMs],
  ] as const) {
    const { send, clock, resets, counted } = rig(() => {});
    let ended = -1;
    const sent = send(ask, { n: 1 }, deadlineMs === undefined ? {} : { deadlineMs }).catch((error) => {
      ended = clock.monotonic();
      return error as { code: string };
    });
    await settle();
    await clock.advance(expected - 1);
    t.is(ended, -1);
    await clock.advance(100);
    t.like(await sent, { code: 'wire/deadline', data: { ms: expected } });
    await settle();
    t.deepEqual(resets, [RESET_CODES.deadline]);
    t.is(counted()['deadline-out:PostFetchRequest'], 1);
  }
});

test('a caller that has given up already sends nothing, and one that gives up resets with "cancelled"', async (t) => {
  const { send, streams, resets } = rig(() => {});
  await t.throwsAsync(send(ask, { n: 1 }, { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
  await settle();
  t.deepEqual(streams, []);
  const controller = new AbortController();
  const sent = send(ask, { n: 1 }, { signal: controller.signal });
  await settle();
  controller.abort(new Error('enough'));
  await t.throwsAsync(sent, { message: 'enough' });
  await settle();
  t.deepEqual(resets, [RESET_CODES.cancelled]);
});
