import test from 'ava';
import {
  HEADER_DEADLINE_MS,
  HOLD_MAX_FRAMES,
  RESET_CODES,
  SHARED_INCOMING_MAX,
  SHARED_UNANSWERED_MAX,
  SHARED_UNANSWERED_SHARE_MAX,
  SHARED_WAITING_SHARE_MAX,
} from '../../kernel/wire/limits.ts';
import { CAPSULE_KINDS } from '../../kernel/wire/shared/capsule.ts';
import { rawFrame } from './pair.ts';
import type { FakeStream } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';
import { answerByHand, encodeCapsule, noticeCapsule, openShared, capsulesOf, requestCapsule } from './shared-rig.ts';

/** What becomes of shared streams when a peer, or a plugin of our own, does not behave. */

const echo = (body: unknown) => body;
const n = (body: unknown) => (body as { n: number }).n;
const never = () => new Promise<never>(() => {});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await settle();
}

test('one sender does not starve another: a peer that fills its stream has its share of a turn', async (t) => {
  const { client, near, connect, serve } = wireRig();
  let notes = 0;
  let notesAtAnswer = -1;
  serve('p', [note, () => void notes++], [ask, echo]);
  const flood = openShared(near);
  flood.write(Buffer.concat(Array.from({ length: 20_000 }, (_, at) => noticeCapsule(at))), false);
  const [other] = connect('d');
  void client.dispatcher.send(other, ask, { n: 1 }).then(() => {
    notesAtAnswer = notes;
  });
  await turns(200);
  t.is(notes, 20_000);
  t.true(notesAtAnswer >= 0 && notesAtAnswer < 2_000, `${notesAtAnswer} notices of the other came first`);
});

test('one sender does not starve another: a plugin that sends much of one message leaves room for the rest', async (t) => {
  const { client, server, near, serve } = wireRig();
  const order: string[] = [];
  serve(
    'p',
    [note, () => void order.push('note')],
    [
      ping,
      (body) => {
        order.push('ping');
        return body;
      },
    ],
  );
  // The peer does not read: a hold at its cap.
  server.dispatcher.router.hold('p');
  for (let at = 0; at <= HOLD_MAX_FRAMES; at++) await client.dispatcher.send(near, note, { n: at });
  await settle();
  const pad = 'x'.repeat(4_000);
  const flood = Array.from({ length: 1_000 }, (_, at) => client.dispatcher.send(near, note, { n: at, pad }));
  const results = Promise.allSettled(flood);
  const small = client.dispatcher.send(near, ping, { n: 1 });
  await turns(3);
  const [shared] = near.live as Set<FakeStream>;
  let queued = 0;
  const append = shared?.append.bind(shared);
  Reflect.set(shared ?? {}, 'append', (bytes: Uint8Array) => {
    append?.(bytes);
    queued = Math.max(queued, shared?.pendingBytes ?? 0);
  });
  server.dispatcher.router.release('p');
  await turns(100);
  t.true(queued > 0 && queued < 300_000, `${queued} bytes queued`);
  t.deepEqual(await small, { n: 1 });
  const refused = (await results).filter(({ status }) => status === 'rejected');
  t.true(refused.length > 300 && refused.length < 1_000 - SHARED_WAITING_SHARE_MAX);
  t.true(
    refused.every((result) => result.status === 'rejected' && result.reason.code === 'transport/too-many-streams'),
  );
  const ahead = order.indexOf('ping') - HOLD_MAX_FRAMES - 1;
  t.true(ahead < 150, `${ahead} notices of the flood came first`);
  t.is(order.length, HOLD_MAX_FRAMES + 1 + 1_000 - refused.length + 1);
});

test('a message whose answers do not come leaves places for others', async (t) => {
  const { client, near, serve } = wireRig();
  serve('p', [ask, never], [ping, echo]);
  const stuck = Array.from({ length: 300 }, (_, at) => client.dispatcher.send(near, ask, { n: at }));
  for (const sent of stuck) sent.catch(() => {});
  t.deepEqual(await client.dispatcher.send(near, ping, { n: 1 }), { n: 1 });
});

test('10,000 small frames at once: as many as may be are under way, others wait, the rest is refused by code', async (t) => {
  const { client, near, serve } = wireRig();
  let running = 0;
  let most = 0;
  serve('p', [
    ask,
    async (body) => {
      most = Math.max(most, ++running);
      await settle();
      running--;
      return body;
    },
  ]);
  const results = await Promise.allSettled(
    Array.from({ length: 10_000 }, (_, at) => client.dispatcher.send(near, ask, { n: at })),
  );
  const answered = results.filter(({ status }) => status === 'fulfilled').length;
  const refused = results.filter(
    (result) => result.status === 'rejected' && result.reason.code === 'transport/too-many-streams',
  );
  t.is(answered, SHARED_UNANSWERED_SHARE_MAX + SHARED_WAITING_SHARE_MAX);
  t.is(refused.length, 10_000 - answered);
  t.is(most, SHARED_UNANSWERED_SHARE_MAX);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
});

test('10,000 small frames at once of a peer that keeps no limit: over-capacity beyond it, and the budget holds', async (t) => {
  const { server, near, serve } = wireRig();
  let called = 0;
  const handler = () => {
    called++;
    return never();
  };
  serve('p', [ask, handler], [{ ...ping, budget: { perSecond: 1, burst: 5, inFlight: 5 } }, handler]);
  const stream = openShared(near);
  const { seen } = capsulesOf(stream);
  stream.write(Buffer.concat(Array.from({ length: 10_000 }, (_, at) => requestCapsule(at + 1, at))), false);
  await turns(100);
  t.is(called, SHARED_UNANSWERED_MAX);
  t.is(seen.length, 10_000 - SHARED_UNANSWERED_MAX);
  t.true(seen.every(({ code, body }) => code === 0xf1 && (body as { code: string }).code === 'over-capacity'));
  t.is(server.counters.read()['over-capacity'], 10_000 - SHARED_UNANSWERED_MAX);
  const second = openShared(near);
  const limited = capsulesOf(second);
  const frame = rawFrame(0xf0, '{"name":"acme/ping@1","body":{"n":1}}');
  for (let id = 1; id <= 100; id++) second.write(encodeCapsule(CAPSULE_KINDS.request, id, frame), false);
  await turns(3);
  t.is(called, SHARED_UNANSWERED_MAX + 5);
  t.is(limited.seen.filter(({ body }) => (body as { code: string }).code === 'rate-limited').length, 95);
  t.is(near.closed, undefined);
});

test('half a frame for ever is ended at its deadline, with its stream and no other', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  let aborted = 0;
  serve('p', [
    ask,
    (body, call) =>
      n(body) > 0 ? body : new Promise(() => call.signal.addEventListener('abort', () => void aborted++)),
  ]);
  const stream = openShared(near);
  const state = capsulesOf(stream);
  stream.write(requestCapsule(1, 0), false);
  stream.write(requestCapsule(2, 2).subarray(0, 12), false);
  await settle();
  await clock.advance(HEADER_DEADLINE_MS - 200);
  // One byte more does not buy more time.
  stream.write(requestCapsule(2, 2).subarray(12, 13), false);
  await settle();
  t.is(state.reset, undefined);
  t.is(aborted, 0);
  await clock.advance(300);
  t.is(state.reset, RESET_CODES.deadline);
  t.is(aborted, 1);
  t.is(server.counters.read()['shared-stream-stalled'], 1);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
});

test('half an answer for ever ends the calls on its stream; from then on each has a stream of its own', async (t) => {
  const { client, clock, near, far } = wireRig();
  answerByHand(far, (stream, { id, body }) => {
    const capsule = encodeCapsule(CAPSULE_KINDS.answer, id, rawFrame(0xd5, `{"n":${n(body)}}`));
    stream.write(n(body) === 1 ? capsule.subarray(0, -1) : capsule, false);
  });
  const longer = { ...ask, deadlineMs: 60_000 };
  const first = client.dispatcher.send(near, longer, { n: 1 });
  await settle();
  const ended = t.throwsAsync(first, { code: 'wire/refused', message: /stream-reset\/17/ });
  await clock.advance(HEADER_DEADLINE_MS + 100);
  await ended;
  far.onStream = (stream) => stream.write(rawFrame(0xd5, '{"n":2}'), true);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 2 }), { n: 2 });
});

test('a hold that stops the reading in mid-frame does not use up the deadline of the rest', async (t) => {
  const { server, clock, near, serve } = wireRig();
  serve('p', [note, () => {}]);
  serve('q', [ask, echo]);
  const { router } = server.dispatcher;
  router.hold('p');
  const stream = openShared(near);
  const state = capsulesOf(stream);
  stream.write(Buffer.concat(Array.from({ length: HOLD_MAX_FRAMES + 1 }, (_, at) => noticeCapsule(at))), false);
  stream.write(requestCapsule(1, 1).subarray(0, 12), false);
  await turns(5);
  await clock.advance(3 * HEADER_DEADLINE_MS);
  t.is(state.reset, undefined);
  router.release('p');
  await turns(5);
  stream.write(requestCapsule(1, 1).subarray(12), false);
  await turns(5);
  t.deepEqual(
    state.seen.map(({ body }) => body),
    [{ n: 1 }],
  );
});

test('a frame whose rest comes while nothing is read on has its time again afterwards', async (t) => {
  const { server, clock, near, serve } = wireRig();
  serve('p', [note, () => {}]);
  serve('q', [ask, echo]);
  const { router } = server.dispatcher;
  const stream = openShared(near);
  const state = capsulesOf(stream);
  stream.write(requestCapsule(1, 1).subarray(0, 12), false);
  await settle();
  router.hold('p');
  for (let at = 0; at <= HOLD_MAX_FRAMES; at++) near.openUni().write(rawFrame(0x42, '{"n":1}'), true);
  await settle();
  stream.write(requestCapsule(1, 1).subarray(12), false);
  await settle();
  await clock.advance(3 * HEADER_DEADLINE_MS);
  t.is(state.reset, undefined);
  router.release('p');
  await turns(3);
  t.is(state.seen.length, 1);
});

test('a reset in mid-frame ends what is under way on that stream, and nothing else', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  let aborted = 0;
  serve('p', [
    ask,
    (body, call) =>
      n(body) > 0 ? body : new Promise(() => call.signal.addEventListener('abort', () => void aborted++)),
  ]);
  const stream = openShared(near);
  stream.write(requestCapsule(1, 0), false);
  stream.write(requestCapsule(2, 2).subarray(0, 12), false);
  await settle();
  stream.abort(RESET_CODES.cancelled);
  await settle();
  t.is(aborted, 1);
  t.is(server.counters.read()['cancelled:PostFetchRequest'], 1);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  await clock.advance(2 * HEADER_DEADLINE_MS);
  t.is(server.counters.read()['shared-stream-stalled'], undefined);
});

test('a peer that offers the feature and speaks the other way is served, and answered on its own streams', async (t) => {
  const { near, serve } = wireRig();
  serve('p', [ask, echo]);
  const stream = near.openBi();
  const answer = new Promise<Buffer>((resolve) => {
    stream.onData = (chunk) => resolve(Buffer.from(chunk));
  });
  stream.write(rawFrame(0xd4, '{"n":1}'), true);
  t.is((await answer).toString('utf8', 5), '{"n":1}');
});

for (const [how, refuse] of [
  ['resets', (stream) => stream.abort(RESET_CODES.refused)],
  ['ends', (stream) => stream.write(new Uint8Array(0), true)],
  ['answers with a plain frame on', (stream) => stream.write(rawFrame(0xf1, '{"code":"unsupported"}'), true)],
] as [string, (stream: Parameters<Parameters<typeof answerByHand>[1]>[0]) => void][]) {
  test(`a peer that offers the feature and ${how} the shared stream gets streams of their own from then on`, async (t) => {
    const { client, near, far } = wireRig();
    far.onStream = (stream) => {
      stream.onData = () => {
        stream.onData = () => {};
        refuse(stream);
      };
    };
    await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }), { code: 'wire/refused' });
    far.onStream = (stream) => stream.write(rawFrame(0xd5, '{"n":2}'), true);
    t.deepEqual(await client.dispatcher.send(near, ask, { n: 2 }), { n: 2 });
    t.is(near.closed, undefined);
  });
}

test('what waits for its turn when the peer ends the shared stream goes on a stream of its own', async (t) => {
  const { client, near, far } = wireRig();
  far.onStream = (stream) => {
    stream.onData = (chunk) => {
      if (chunk[0] === 0xf2) setImmediate(() => stream.abort(RESET_CODES.refused));
      else if (chunk[0] === 0xd4) stream.write(rawFrame(0xd5, '{"n":7}'), true);
    };
  };
  const results = await Promise.allSettled(
    Array.from({ length: SHARED_UNANSWERED_SHARE_MAX + 10 }, () => client.dispatcher.send(near, ask, { n: 7 })),
  );
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 10);
});

for (const [what, bytes] of [
  ['an unknown kind', encodeCapsule(9, 1, rawFrame(0xd4, '{}'))],
  ['an answer', encodeCapsule(CAPSULE_KINDS.answer, 1, rawFrame(0xd5, '{}'))],
  ['a frame too long', encodeCapsule(CAPSULE_KINDS.request, 1, rawFrame(0xd4, '', 5_000))],
  ['an id twice', Buffer.concat([requestCapsule(1, 0), requestCapsule(1, 0)])],
] as const) {
  test(`a shared stream with ${what} on it is reset and costs a point`, async (t) => {
    const { client, server, near, serve } = wireRig();
    serve('p', [ask, (body) => (n(body) === 0 ? never() : body)]);
    const stream = openShared(near);
    const state = capsulesOf(stream);
    stream.write(bytes, false);
    await settle();
    t.is(state.reset, RESET_CODES.malformed);
    t.is(server.counters.read()['malformed:capsule'], 1);
    t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
    for (let at = 0; at < 110 && near.closed === undefined; at++) {
      openShared(near).write(encodeCapsule(9, 1, rawFrame(0xd4, '{}')), false);
      await settle();
    }
    t.like(near.closed, { reason: 'misbehaviour' });
  });
}

test('a shared stream that ends within a frame is malformed', async (t) => {
  const { server, near } = wireRig();
  const stream = openShared(near);
  stream.write(requestCapsule(1, 1).subarray(0, 12), true);
  await settle();
  t.is(server.counters.read()['malformed:capsule'], 1);
});

test('a peer may have few shared streams, and one more is reset', async (t) => {
  const { server, near } = wireRig();
  const states = Array.from({ length: SHARED_INCOMING_MAX + 1 }, () => capsulesOf(openShared(near)));
  await settle();
  t.deepEqual(
    states.map(({ reset }) => reset),
    [...Array.from({ length: SHARED_INCOMING_MAX }, () => undefined), RESET_CODES.refused],
  );
  t.is(server.counters.read()['too-many-shared-streams'], 1);
});

test('a stalled reader: a peer that reads no answers is not read on, and goes on where it stopped', async (t) => {
  const { server, near, serve } = wireRig();
  let called = 0;
  const pad = 'x'.repeat(3_500);
  const wordy = {
    ...ping,
    maxBytes: 8_192,
    response: { ...ping.response, maxBytes: 8_192, body: { type: 'object' } as never },
  };
  serve('p', [
    wordy,
    (body) => {
      called++;
      return { n: n(body), pad };
    },
  ]);
  const stream = openShared(near);
  const { seen } = capsulesOf(stream);
  stream.pause();
  const frame = rawFrame(0xf0, '{"name":"acme/ping@1","body":{"n":1}}');
  for (let id = 1; id <= 2_000; id++) stream.write(encodeCapsule(CAPSULE_KINDS.request, id, frame), false);
  await turns(20);
  t.true(called > 60 && called < 100, `${called} answered before the peer read`);
  stream.resume();
  await turns(400);
  t.is(called, 2_000);
  t.is(seen.length, 2_000);
  t.is(server.counters.read()['over-capacity'], undefined);
});

test('an answer for a call that was never made is ignored, wherever it comes', async (t) => {
  const { client, clock, near, far } = wireRig();
  answerByHand(far, (stream, { id, body }) => {
    stream.write(encodeCapsule(CAPSULE_KINDS.answer, id + 1, rawFrame(0xd5, '{"n":99}')), false);
    const own = far.openUni();
    own.write(encodeCapsule(0xf3, id + 1, rawFrame(0xd5, '{"n":99}')), true);
    far.openUni().write(Uint8Array.of(0xf3, 0, 0), false);
    stream.write(encodeCapsule(CAPSULE_KINDS.answer, id, rawFrame(0xd5, `{"n":${n(body)}}`)), false);
  });
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 1 }), { n: 1 });
  await settle();
  await clock.advance(HEADER_DEADLINE_MS + 100);
  await settle();
  t.like(client.counters.read(), { 'late-answers': 1, 'unfinished-streams': 1 });
  t.is(near.closed, undefined);
});
