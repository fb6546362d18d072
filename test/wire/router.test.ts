import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { defineNotice } from '../../kernel/index.ts';
import { HOLD_MAX_BYTES, HOLD_MAX_FRAMES } from '../../kernel/wire/limits.ts';
import { answerOf, rawFrame } from './pair.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

const echo = (body: unknown) => body;
const n = (body: unknown) => (body as { n: number }).n;

test('declarations are checked before anything runs', (t) => {
  const { server, serve } = wireRig();
  const { router } = server.dispatcher;
  serve('one', [ask, echo]);
  t.throws(() => router.check('two', [ask]), { code: 'wire/duplicate-message' });
  t.throws(() => router.check('two', [note, note]), { code: 'wire/duplicate-message' });
  t.notThrows(() => router.check('one', [ask]), 'its own next generation may have it');
  const wrong = [
    { ...note, code: 0x96 },
    { ...note, code: 0x41, name: 'PullSyncResponse' },
    { ...note, name: 'PostNotice' },
    { ...note, code: 0x40, name: 'PullSyncRequest' },
    { ...ask, response: { ...ask.response, code: 0x41 } },
    { ...note, maxBytes: 17 * 1024 * 1024 },
    { ...note, budget: { perSecond: 1, burst: 1, inFlight: 0 } },
    { ...ping, name: 'ping' },
    { ...ping, name: 'Acme/Ping@1' },
  ];
  for (const message of wrong)
    t.throws(() => router.check('one', [message as never]), { code: 'wire/not-in-catalogue' });
});

test('messages of a generation replace those of the one before, and removed ones become unsupported', async (t) => {
  const { client, server, near, serve } = wireRig();
  serve('p', [ask, () => ({ n: 1 })], [ping, echo]);
  t.deepEqual(server.dispatcher.router.inspect('p').messages, ['PostFetchRequest', 'acme/ping@1']);
  serve('p', [ask, () => ({ n: 2 })]);
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 0 }), { n: 2 });
  await t.throwsAsync(client.dispatcher.send(near, ping, { n: 0 }), { code: 'wire/unsupported' });
  server.dispatcher.router.remove('p');
  await t.throwsAsync(client.dispatcher.send(near, ask, { n: 0 }), { code: 'wire/unsupported' });
  t.deepEqual(server.dispatcher.router.inspect('p'), { messages: [], running: 0, held: 0 });
});

test('held frames wait for the new handlers, in order, and other plugins go on', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen: [string, number][] = [];
  serve('p', [note, (body) => void seen.push(['old', n(body)])]);
  serve('q', [ask, echo]);
  await client.dispatcher.send(near, note, { n: 0 });
  await settle();
  router.hold('p');
  for (let at = 1; at <= 5; at++) await client.dispatcher.send(near, note, { n: at });
  t.deepEqual(await client.dispatcher.send(near, ask, { n: 9 }), { n: 9 });
  t.is(router.inspect('p').held, 5);
  t.is(await router.drain('p', 1_000), 0);
  serve('p', [note, (body) => void seen.push(['new', n(body)])]);
  t.is(seen.length, 1);
  router.release('p');
  t.deepEqual(seen, [['old', 0], ...[1, 2, 3, 4, 5].map((at): [string, number] => ['new', at])]);
  t.is(router.inspect('p').held, 0);
});

test('a held request is answered by the new generation, however long the hold was', async (t) => {
  const { clock, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  serve('p', [ask, () => ({ n: 1 })]);
  router.hold('p');
  const stream = near.openBi();
  stream.write(rawFrame(0xd4, '{"n":1}'), true);
  await clock.advance(60_000);
  serve('p', [ask, () => ({ n: 2 })]);
  router.release('p');
  t.deepEqual(await answerOf(stream), { code: 0xd5, body: { n: 2 } });
});

test('what is held when its plugin goes is answered unsupported', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  serve('p', [ask, echo], [note, () => t.fail()]);
  router.hold('p');
  const sent = client.dispatcher.send(near, ask, { n: 1 });
  await client.dispatcher.send(near, note, { n: 1 });
  await settle();
  router.remove('p');
  await t.throwsAsync(sent, { code: 'wire/unsupported' });
});

test('a release without new handlers lets the old ones go on', async (t) => {
  const { client, server, near, serve } = wireRig();
  serve('p', [ask, echo]);
  server.dispatcher.router.hold('p');
  const sent = client.dispatcher.send(near, ask, { n: 4 });
  await settle();
  server.dispatcher.router.release('p');
  t.deepEqual(await sent, { n: 4 });
});

test('drain waits for running calls, then aborts the rest', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  const { router } = server.dispatcher;
  let end: (() => void) | undefined;
  const aborted: unknown[] = [];
  serve(
    'p',
    [ask, (body) => new Promise((resolve) => (end = () => resolve(body)))],
    [
      ping,
      (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason);
            reject(signal.reason);
          }),
        ),
    ],
  );
  const quick = client.dispatcher.send(near, ask, { n: 1 });
  const slow = client.dispatcher.send(near, ping, { n: 1 });
  await settle();
  router.hold('p');
  const drained = router.drain('p', 1_000);
  end?.();
  t.deepEqual(await quick, { n: 1 });
  const refused = t.throwsAsync(slow, { code: 'wire/interrupted' });
  await clock.advance(1_000);
  t.is(await drained, 1);
  t.like(aborted, [{ code: 'wire/interrupted' }]);
  t.is(router.inspect('p').running, 0);
  await refused;
});

test('drain ends at once when the last call does', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  let end: (() => void) | undefined;
  serve('p', [ask, (body) => new Promise((resolve) => (end = () => resolve(body)))]);
  void client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  const drained = server.dispatcher.router.drain('p', 1_000);
  end?.();
  t.is(await drained, 0);
  t.is(clock.monotonic(), 0);
});

test('a call that a swap gave up on does not keep its place', async (t) => {
  const { client, server, clock, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const single = { ...ask, budget: { perSecond: 100, burst: 100, inFlight: 1 } };
  serve('p', [single, () => new Promise(() => {})]);
  const lost = t.throwsAsync(client.dispatcher.send(near, single, { n: 1 }), { code: 'wire/deadline' });
  const waiting = client.dispatcher.send(near, single, { n: 2 });
  await settle();
  router.hold('p');
  const drained = router.drain('p', 1_000);
  await clock.advance(1_000);
  t.is(await drained, 1);
  serve('p', [single, echo]);
  router.release('p');
  t.deepEqual(await waiting, { n: 2 });
  await clock.advance(11_000);
  await lost;
});

test('calls that waited for a place before the hold come before those that were held', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const single = { ...note, budget: { perSecond: 1e3, burst: 1e3, inFlight: 1 } };
  const seen: number[] = [];
  let end: (() => void) | undefined;
  const slow = (body: unknown) => {
    seen.push(n(body));
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  serve('p', [single, slow]);
  for (let at = 0; at < 4; at++) await client.dispatcher.send(near, single, { n: at });
  await settle();
  router.hold('p');
  for (let at = 4; at < 8; at++) await client.dispatcher.send(near, single, { n: at });
  await settle();
  end?.();
  await router.drain('p', 1_000);
  t.deepEqual(seen, [0]);
  serve('p', [single, async (body) => void seen.push(n(body))]);
  router.release('p');
  await settle();
  t.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('at the cap of a hold nothing more is read, and nothing is lost', async (t) => {
  const { client, server, near, connect, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen: number[] = [];
  serve('p', [note, () => t.fail()]);
  serve('q', [ask, echo]);
  router.hold('p');
  for (let at = 0; at < 3_000; at++) await client.dispatcher.send(near, note, { n: at });
  await settle();
  t.is(router.inspect('p').held, HOLD_MAX_FRAMES + 1, 'one frame a connection shows that the cap is reached');
  const [other] = connect('d');
  t.deepEqual(await client.dispatcher.send(other, ask, { n: 1 }), { n: 1 }, 'other peers are served');
  const late = client.dispatcher.send(near, ask, { n: 2 });
  await settle();
  serve('p', [note, (body) => void seen.push(n(body))]);
  router.release('p');
  await settle();
  t.deepEqual(await late, { n: 2 });
  t.deepEqual(
    seen,
    Array.from({ length: 3_000 }, (_, at) => at),
  );
});

test('the byte cap of a hold pauses large frames where they are', async (t) => {
  const { client, server, near, serve } = wireRig({ chunkBytes: 10_000 });
  const { router } = server.dispatcher;
  const seen: number[] = [];
  serve('p', [note, () => t.fail()]);
  router.hold('p');
  const sent = [0, 1, 2, 3].map((at) => client.dispatcher.send(near, note, { n: at, pad: 'x'.repeat(700_000) }));
  await settle();
  t.true(router.inspect('p').held <= 2);
  serve('p', [note, (body) => void seen.push(n(body))]);
  router.release('p');
  await Promise.all(sent);
  await settle();
  t.deepEqual(seen.sort(), [0, 1, 2, 3]);
  t.true(700_000 * 2 > HOLD_MAX_BYTES);
});

test('a connection that ends during a hold loses no notice that had arrived', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen: number[] = [];
  serve('p', [note, () => t.fail()], [ask, () => t.fail()]);
  router.hold('p');
  await client.dispatcher.send(near, note, { n: 1 });
  const sent = t.throwsAsync(client.dispatcher.send(near, ask, { n: 2 }), { code: 'wire/connection-closed' });
  await settle();
  near.close(0, 'done');
  await sent;
  serve('p', [note, (body) => void seen.push(n(body))], [ask, () => t.fail('nobody waits for it')]);
  router.release('p');
  t.deepEqual(seen, [1]);
});

test('10,000 messages of four peers through 200 swaps: none lost, none doubled, all in order', async (t) => {
  const random = seededRandom(7);
  const { client, server, connect, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen = new Map<string, number[]>();
  const handler = async (body: unknown, { peer }: { peer: { nodeId: string } }) => {
    const list = seen.get(peer.nodeId) ?? [];
    seen.set(peer.nodeId, list);
    list.push(n(body));
    if (n(body) % 7 === 0) await settle();
  };
  const second = defineNotice({
    name: 'acme/note@1',
    about: 'A number',
    body: note.body,
    maxBytes: 1_024,
    budget: note.budget,
  });
  serve('p', [note, handler as never], [second, handler as never]);
  const links = ['1', '2', '3', '4'].map((digit) => connect(digit)[0]);
  let sent = 0;
  let swaps = 0;
  const sending = (async () => {
    while (sent < 10_000) {
      for (let burst = random.integer(60); burst > 0 && sent < 10_000; burst--) {
        const link = links[sent % 4] as (typeof links)[number];
        await client.dispatcher.send(link, sent % 3 === 0 ? second : note, { n: sent++ });
      }
      await settle();
    }
  })();
  while (sent < 10_000 || swaps < 200) {
    router.hold('p');
    await router.drain('p', 1_000);
    for (let wait = random.integer(4); wait > 0; wait--) await settle();
    serve('p', [note, handler as never], [second, handler as never]);
    router.release('p');
    swaps++;
    await settle();
  }
  await sending;
  await settle();
  const all = [...seen.values()];
  t.is(all.flat().length, 10_000);
  t.is(new Set(all.flat()).size, 10_000);
  for (const list of all)
    t.deepEqual(
      list,
      [...list].sort((a, b) => a - b),
    );
});
