import test from 'ava';
import {
  EXTENSION_ENVELOPE_BYTES,
  HALF_READ_MAX,
  HEADER_DEADLINE_MS,
  HOLD_MAX_BYTES,
} from '../../kernel/wire/limits.ts';
import { RESET_CODES, TRAILING_MAX_BYTES, WAIT_MAX_BYTES } from '../../kernel/wire/limits.ts';
import { answerOf, rawFrame } from './pair.ts';
import type { FakeStream } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

/** What becomes of streams that do not end as they should, and of frames for which there is no room. */

const echo = (body: unknown) => body;
const n = (body: unknown) => (body as { n: number }).n;

/** The code with which the other side resets a stream. */
function resetOf(stream: FakeStream): { code?: number } {
  const reset: { code?: number } = {};
  stream.onAbort = ({ code }) => {
    reset.code = code ?? -1;
  };
  return reset;
}

test('a request whose stream stays open is answered; the stream is let go in time unless the peer ends it', async (t) => {
  const { server, clock, near, serve } = wireRig();
  serve('p', [ask, echo]);
  const open = near.openBi();
  const reset = resetOf(open);
  const answers: Buffer[] = [];
  open.onData = (chunk) => void answers.push(Buffer.from(chunk));
  open.write(rawFrame(0xd4, '{"n":1}'), false);
  const ended = near.openBi();
  const endedReset = resetOf(ended);
  ended.write(rawFrame(0xd4, '{"n":2}'), false);
  await settle();
  t.is(answers.length, 1);
  ended.write(new Uint8Array(0), true);
  await clock.advance(HEADER_DEADLINE_MS - 1);
  t.is(reset.code, undefined);
  await clock.advance(100);
  t.is(reset.code, RESET_CODES.deadline);
  t.is(endedReset.code, undefined);
  t.is(server.counters.read()['unfinished-streams'], 1);
});

test('a notice whose stream stays open is taken, and the stream reset', async (t) => {
  const { near, serve } = wireRig();
  const seen: number[] = [];
  serve('p', [note, (body) => void seen.push(n(body))]);
  const stream = near.openUni();
  const reset = resetOf(stream);
  stream.write(rawFrame(0x42, '{"n":1}'), false);
  await settle();
  t.deepEqual(seen, [1]);
  t.is(reset.code, RESET_CODES.refused);
});

for (const [name, frame, code, unread] of [
  ['a request', rawFrame(0xd4, '{"n":1}'), 0xd5, 0],
  ['what nobody serves', rawFrame(0x40, '{}'), 0xf1, 2],
] as const) {
  test(`64 KiB behind ${name} are ignored, and one byte more costs the stream and a point`, async (t) => {
    const { server, near, serve } = wireRig();
    serve('p', [ask, echo]);
    const stream = near.openBi();
    const reset = resetOf(stream);
    const codes: number[] = [];
    stream.onData = (chunk) => void codes.push(chunk[0] ?? -1);
    stream.write(Buffer.concat([frame, Buffer.alloc(TRAILING_MAX_BYTES)]), false);
    await settle();
    t.deepEqual([codes, reset.code], [[code], undefined]);
    stream.write(Buffer.alloc(1), false);
    await settle();
    t.is(reset.code, RESET_CODES.refused);
    t.like(server.counters.read(), { 'endless-streams': 1, 'ignored-bytes': unread + TRAILING_MAX_BYTES + 1 });
    t.is(near.closed, undefined);
  });
}

test('the rest of a refused frame may come, up to its declared length', async (t) => {
  const { server, near } = wireRig();
  const stream = near.openBi();
  const reset = resetOf(stream);
  const declared = 1_000_000;
  stream.write(rawFrame(0x40, 'x', declared), false);
  await settle();
  stream.write(Buffer.alloc(declared - 1 + TRAILING_MAX_BYTES), false);
  await settle();
  t.is(reset.code, undefined);
  stream.write(Buffer.alloc(1), false);
  await settle();
  t.is(reset.code, RESET_CODES.refused);
  t.is(server.counters.read()['endless-streams'], 1);
});

test('128 frames of a connection are partly read at a time; the next goes on when one ends, however it ends', async (t) => {
  const { near, far, serve } = wireRig();
  const seen: number[] = [];
  serve('p', [note, (body) => void seen.push(n(body))]);
  const streams = Array.from({ length: HALF_READ_MAX + 4 }, (_, at) => {
    const stream = near.openUni();
    stream.write(rawFrame(0x42, `{"n":`, 5 + String(at).length + 1), false);
    return stream;
  });
  const paused = (): number[] => [...far.live].filter((stream) => stream.paused).map(({ id }) => id);
  const finish = (at: number): void => streams[at]?.write(Buffer.from(`${at}}`), true);
  await settle();
  t.is(paused().length, 4);
  finish(0);
  await settle();
  t.is(paused().length, 3);
  streams[1]?.abort(RESET_CODES.cancelled);
  await settle();
  t.is(paused().length, 2);
  // One that waits for room goes away by itself, and its turn passes to the next.
  streams[HALF_READ_MAX + 2]?.abort(RESET_CODES.cancelled);
  await settle();
  finish(2);
  await settle();
  t.is(paused().length, 0);
  for (let at = 3; at < streams.length; at++) if (at !== HALF_READ_MAX + 2) finish(at);
  await settle();
  t.is(seen.length, HALF_READ_MAX + 2);
});

test('a frame that had to wait for room gives its room back', async (t) => {
  const { near, far, serve } = wireRig();
  serve('p', [note, () => {}]);
  for (let round = 0; round < 3; round++) {
    const streams = Array.from({ length: HALF_READ_MAX + 4 }, () => near.openUni());
    for (const stream of streams) stream.write(rawFrame(0x42, '{"n":', 7), false);
    await settle();
    t.is([...far.live].filter(({ paused }) => paused).length, 4, `round ${round}`);
    for (const stream of streams) stream.write(Buffer.from('1}'), true);
    await settle();
    t.is(far.live.size, 0);
  }
});

test('two frames of 16 MiB are partly read at a time, the third waits', async (t) => {
  const { near, far, serve } = wireRig();
  const largest = 16 * 1024 * 1024;
  const sizes: number[] = [];
  serve('p', [{ ...note, maxBytes: largest }, (_, { bytes }) => void sizes.push(bytes)]);
  const text = `{"n":1,"pad":"${'x'.repeat(largest - 16)}"}`;
  const streams = [0, 1, 2].map(() => {
    const stream = near.openUni();
    stream.write(rawFrame(0x42, text.slice(0, 10), largest), false);
    return stream;
  });
  await settle();
  t.is([...far.live].filter(({ paused }) => paused).length, 1);
  for (const stream of streams) stream.write(Buffer.from(text.slice(10)), true);
  await settle();
  await settle();
  t.deepEqual(sizes, [largest, largest, largest]);
});

test('frames that wait for a place fill a megabyte, then the connection is not read until half of it is free', async (t) => {
  const { near, serve } = wireRig();
  const single = { ...note, budget: { perSecond: 1e3, burst: 1e3, inFlight: 1 } };
  const seen: number[] = [];
  const ends: (() => void)[] = [];
  const slow = (body: unknown) => {
    seen.push(n(body));
    return new Promise<void>((end) => ends.push(end));
  };
  serve('p', [single, slow], [ask, echo]);
  const bytes = WAIT_MAX_BYTES / 4;
  const send = (at: number): void => {
    const empty = `{"n":${at},"pad":""}`;
    near.openUni().write(rawFrame(0x42, `{"n":${at},"pad":"${'x'.repeat(bytes - empty.length)}"}`), true);
  };
  let answered = 0;
  const question = (): void => {
    const stream = near.openBi();
    stream.onData = () => void answered++;
    stream.write(rawFrame(0xd4, '{"n":1}'), true);
  };
  for (let at = 0; at < 5; at++) send(at);
  await settle();
  question();
  await settle();
  t.is(answered, 1, 'four waiting are exactly the megabyte');
  send(5);
  await settle();
  question();
  await settle();
  t.is(answered, 1);
  for (let waiting = 5; waiting > 3; waiting--) {
    ends.shift()?.();
    await settle();
    t.is(answered, 1, `${waiting - 1} wait`);
  }
  ends.shift()?.();
  await settle();
  t.is(answered, 2, 'two wait, which is half');
  while (ends.length > 0) {
    ends.shift()?.();
    await settle();
  }
  t.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
});

test('a request that is taken back or too late while it waits for a place is not run', async (t) => {
  const { server, clock, near, serve } = wireRig();
  const single = { ...ask, budget: { perSecond: 1e3, burst: 1e3, inFlight: 1 }, deadlineMs: 2_000 };
  const seen: number[] = [];
  let end: (() => void) | undefined;
  const slow = (body: unknown) => {
    seen.push(n(body));
    return new Promise((resolve) => {
      end = () => resolve(body);
    });
  };
  serve('p', [single, slow]);
  const streams = [0, 1, 2].map((at) => {
    const stream = near.openBi();
    stream.write(rawFrame(0xd4, `{"n":${at}}`), true);
    return stream;
  });
  await settle();
  streams[1]?.abort(RESET_CODES.cancelled);
  const late = answerOf(streams[2] as FakeStream);
  await settle();
  t.is(server.counters.read()['cancelled:PostFetchRequest'], 1);
  await clock.advance(2_100);
  t.deepEqual(await late, { code: 0xf1, body: { code: 'deadline' } });
  end?.();
  await settle();
  t.deepEqual(seen, [0]);
  near.openBi().write(rawFrame(0xd4, '{"n":3}'), true);
  await settle();
  t.deepEqual(seen, [0, 3], 'their places in the line are free');
});

test('a peer that does not read its answer keeps its place in the handler until it does', async (t) => {
  const { near, serve } = wireRig();
  const large = {
    ...ask,
    budget: { perSecond: 1e3, burst: 1e3, inFlight: 1 },
    response: { ...ask.response, maxBytes: 1024 * 1024 },
  };
  const seen: number[] = [];
  const handler = (body: unknown) => {
    seen.push(n(body));
    return { n: n(body), pad: 'x'.repeat(400_000) };
  };
  serve('p', [large, handler]);
  const slow = near.openBi();
  slow.pause();
  slow.write(rawFrame(0xd4, '{"n":1}'), false);
  near.openBi().write(rawFrame(0xd4, '{"n":2}'), true);
  await settle();
  await settle();
  t.deepEqual(seen, [1]);
  slow.resume();
  await settle();
  await settle();
  t.deepEqual(seen, [1, 2]);
});

test('an extension frame is as large as the largest message that anybody takes, with its envelope', async (t) => {
  const { server, near, serve } = wireRig();
  const sendExtension = async (bytes: number): Promise<unknown> => {
    const envelope = (pad: string) => `{"name":"acme/ping@1","body":{"n":1,"pad":"${pad}"}}`;
    const stream = near.openBi();
    stream.write(rawFrame(0xf0, envelope('x'.repeat(bytes - envelope('').length))), true);
    return answerOf(stream);
  };
  t.like(await sendExtension(500), { body: { code: 'unsupported' } });
  serve('p', [ping, (body) => ({ n: n(body) })]);
  t.like(await sendExtension(ping.maxBytes + EXTENSION_ENVELOPE_BYTES), { code: 0xf0 });
  t.like(await sendExtension(ping.maxBytes + EXTENSION_ENVELOPE_BYTES + 1), { body: { code: 'too-large' } });
  serve('q', [{ ...ping, name: 'acme/large@1', maxBytes: 100_000 }, echo]);
  t.like(await sendExtension(ping.maxBytes + EXTENSION_ENVELOPE_BYTES + 1), { body: { code: 'too-large' } });
  server.dispatcher.router.remove('p');
  t.like(await sendExtension(500), { body: { code: 'unsupported' } });
});

test('a frame of which part is here when the hold has no room is read on after the release, in its own time', async (t) => {
  const { server, clock, near, far, serve } = wireRig();
  const { router } = server.dispatcher;
  const large = { ...note, maxBytes: 2 * 1024 * 1024, deadlineMs: 5_000 };
  const seen: number[] = [];
  serve('p', [large, () => t.fail()]);
  router.hold('p');
  const whole = (at: number, bytes: number): Uint8Array => {
    const empty = `{"n":${at},"pad":""}`;
    return rawFrame(0x42, `{"n":${at},"pad":"${'x'.repeat(bytes - empty.length)}"}`);
  };
  near.openUni().write(whole(0, HOLD_MAX_BYTES - 100), true);
  await settle();
  const frame = whole(1, 200);
  // Is being read already when the connection stops.
  const given = near.openUni();
  given.write(frame.subarray(0, 3), false);
  await settle();
  const part = near.openUni();
  const reset = resetOf(part);
  part.write(frame.subarray(0, 50), false);
  given.write(frame.subarray(3, 50), false);
  await settle();
  t.deepEqual(
    [...far.live].map(({ paused }) => paused),
    [true, true],
  );
  t.is(router.inspect('p').held, 3);
  given.abort(RESET_CODES.cancelled);
  const behind = near.openUni();
  behind.write(rawFrame(0x42, '{"n":2}'), true);
  await clock.advance(60_000);
  t.is(reset.code, undefined, 'the hold does not use up its time');
  serve('p', [large, (body) => void seen.push(n(body))]);
  router.release('p');
  await settle();
  t.deepEqual(seen, [0, 2]);
  await clock.advance(4_900);
  t.is(reset.code, undefined);
  part.write(frame.subarray(50), true);
  await settle();
  t.deepEqual(seen, [0, 2, 1]);
  await clock.advance(60_000);
  t.like(server.counters.read(), { 'held-at-cap': 1, 'cancelled:PostNotification': 1 });
  for (const late of ['deadline:PostNotification', 'unfinished-streams'])
    t.is(server.counters.read()[late], undefined, 'what was taken back while it was held has no deadline any more');
});

test('a frame that fits exactly into what a hold may keep does not stop the connection', async (t) => {
  const { server, near, serve } = wireRig();
  serve('p', [note, () => {}]);
  serve('q', [ask, echo]);
  server.dispatcher.router.hold('p');
  const empty = '{"n":1,"pad":""}';
  near.openUni().write(rawFrame(0x42, `{"n":1,"pad":"${'x'.repeat(HOLD_MAX_BYTES - empty.length)}"}`), true);
  await settle();
  const open = near.openBi();
  open.write(rawFrame(0xd4, '{"n":1}'), true);
  t.like(await answerOf(open), { code: 0xd5 });
  near.openUni().write(rawFrame(0x42, '{"n":2}'), true);
  await settle();
  const blocked = near.openBi();
  let answered = false;
  blocked.onData = () => {
    answered = true;
  };
  blocked.write(rawFrame(0xd4, '{"n":1}'), true);
  await settle();
  t.false(answered);
  server.dispatcher.router.release('p');
  await settle();
  t.true(answered);
});
