import test from 'ava';
import type { IncomingCall } from '../../kernel/index.ts';
import { defineErrors, defineRequest, ItsgoinError, Type } from '../../kernel/index.ts';
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
  failure = new ItsgoinError(`test/${'x'.repeat(2_000)}`, { message: 'secret', peerVisible: true });
  const long = (await t.throwsAsync(client.dispatcher.send(near, ask, { n: 1 }))) as ItsgoinError;
  t.regex(String(long.data.code), /^test\/x+$/, 'one too long for the frame was never answered');
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
  const any = defineRequest({ ...ask, response: { ...ask.response, body: Type.Any() } });
  serve('p', [any, (body) => (n(body) === 1 ? { pad: 'x'.repeat(2_000) } : n(body) === 2 ? 1n : undefined)]);
  for (const n of [1, 2, 3])
    t.like(await t.throwsAsync(client.dispatcher.send(near, any, { n })), { data: { code: 'failed' } });
});

test('a body that does not match is refused here and never sent', async (t) => {
  const { client, server, near } = wireRig();
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 'x' } as never), { code: 'wire/bad-body' });
  t.is(server.counters.read()['frames-in'], undefined);
});
