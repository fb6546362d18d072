import test from 'ava';
import { defineNotice, Type } from '../../kernel/index.ts';
import { HOLD_MAX_FRAMES, WAIT_MAX_BYTES } from '../../kernel/wire/limits.ts';
import { ask, note, ping, settle, wireRig } from './rig.ts';

const n = (body: unknown) => (body as { n: number }).n;

test('frames for a plugin that is being swapped: none lost, notices and requests in the order they were sent', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen: string[] = [];
  const generation = (name: string) =>
    serve(
      'p',
      [note, (body) => void seen.push(`note ${n(body)} ${name}`)],
      [
        ask,
        async (body) => {
          seen.push(`ask ${n(body)} ${name}`);
          await settle();
          return body;
        },
      ],
    );
  serve('q', [ping, (body) => body]);
  generation('old');
  const answers: Promise<unknown>[] = [];
  const sent: string[] = [];
  const send = (count: number) => {
    for (let at = 0; at < count; at++) {
      const number = sent.length;
      if (number % 3 === 0) answers.push(client.dispatcher.send(near, ask, { n: number }));
      else void client.dispatcher.send(near, note, { n: number });
      sent.push(`${number % 3 === 0 ? 'ask' : 'note'} ${number}`);
    }
  };
  for (let swap = 0; swap < 50; swap++) {
    send(10);
    if (swap % 2 === 0) await settle();
    router.hold('p');
    send(20);
    await settle();
    const drained = router.drain('p', 1_000);
    // Other plugins go on meanwhile.
    if (swap % 10 === 0) t.deepEqual(await client.dispatcher.send(near, ping, { n: swap }), { n: swap });
    await drained;
    generation(`${swap}`);
    router.release('p');
    send(10);
    await settle();
  }
  await Promise.all(answers);
  await settle();
  t.deepEqual(
    seen.map((line) => line.split(' ').slice(0, 2).join(' ')),
    sent,
  );
});

test('a swap that fills its hold stops the shared stream where it is, and nothing is lost or out of order', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  const seen: number[] = [];
  const install = () =>
    serve(
      'p',
      [note, (body) => void seen.push(n(body))],
      [
        ask,
        (body) => {
          seen.push(n(body));
          return body;
        },
      ],
    );
  install();
  router.hold('p');
  const COUNT = 2_500;
  const answers: Promise<unknown>[] = [];
  for (let at = 0; at < COUNT; at++) {
    if (at % 25 === 0) answers.push(client.dispatcher.send(near, ask, { n: at }));
    else await client.dispatcher.send(near, note, { n: at });
  }
  for (let turn = 0; turn < 20; turn++) await settle();
  t.is(router.inspect('p').held, HOLD_MAX_FRAMES + 1);
  install();
  router.release('p');
  await Promise.all(answers);
  for (let turn = 0; turn < 20; turn++) await settle();
  t.deepEqual(
    seen,
    Array.from({ length: COUNT }, (_, at) => at),
  );
});

test('a plugin that goes while frames for it wait on a shared stream leaves them unsupported, and the stream open', async (t) => {
  const { client, server, near, serve } = wireRig();
  const { router } = server.dispatcher;
  serve('p', [ask, (body) => body]);
  serve('q', [ping, (body) => body]);
  router.hold('p');
  const held = client.dispatcher.send(near, ask, { n: 1 });
  await settle();
  router.remove('p');
  await t.throwsAsync(held, { code: 'wire/unsupported' });
  t.deepEqual(await client.dispatcher.send(near, ping, { n: 1 }), { n: 1 });
});

test('frames that waited unread start behind the one whose turn made room for them', async (t) => {
  const { client, near, serve } = wireRig();
  const one = { ...note, budget: { perSecond: 1e6, burst: 1e6, inFlight: 1 } };
  const stuck = defineNotice({
    name: 'acme/stuck@1',
    about: 'Never ends',
    body: Type.Object({ pad: Type.String() }),
    maxBytes: 8_192,
    budget: one.budget,
  });
  const order: number[] = [];
  let [running, most] = [0, 0];
  serve(
    'p',
    [
      one,
      async (body) => {
        order.push(n(body));
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    ],
    [stuck, () => new Promise(() => {})],
  );
  // Half of what may wait is of another message and stays; then the rest goes down to exactly that half.
  const envelope = '{"name":"acme/stuck@1","body":{"pad":""}}'.length;
  for (let at = 0; at <= WAIT_MAX_BYTES / 2 / 4_096; at++) {
    await client.dispatcher.send(near, stuck, { pad: 'x'.repeat(4_096 - envelope) });
  }
  await settle();
  const count = 600;
  const pad = 'x'.repeat(4_000);
  const sent = Array.from({ length: count }, (_, at) => client.dispatcher.send(near, one, { n: at, pad }));
  while (order.length < count - 30) await settle();
  for (let turn = 0; turn < 40; turn++) await settle();
  const taken = (await Promise.allSettled(sent)).flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
  t.true(taken.length > 500);
  t.deepEqual(order, taken);
  t.is(most, 1);
});
