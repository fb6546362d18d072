import test from 'ava';
import { closeStack, openStack } from '../../bench/wire/full-stack.ts';
import { HOLD_MAX_FRAMES } from '../../kernel/wire/limits.ts';
import { ask, note, settle } from './rig.ts';

test('over QUIC, a hold at its cap pushes the sender back and loses nothing', async (t) => {
  const [here, there] = [await openStack(), await openStack()];
  t.teardown(() => closeStack(here));
  t.teardown(() => closeStack(there));
  const { router } = there.dispatcher;
  const seen: number[] = [];
  const serve = () =>
    router.install('p', [{ message: note, handler: (body) => void seen.push((body as { n: number }).n) }]);
  serve();
  router.install('q', [{ message: ask, handler: (body) => body }]);
  const target = { nodeId: there.network.self.nodeId, addresses: [`127.0.0.1:${there.network.port}`] };
  await here.network.dial(target);
  const COUNT = 6_000;
  router.hold('p');
  let taken = 0;
  const sending = (async () => {
    for (let n = 0; n < COUNT; n += 50) {
      const batch = Array.from({ length: 50 }, (_, at) => here.network.sendTo(target.nodeId, note, { n: n + at }));
      await Promise.all(batch);
      taken += batch.length;
    }
  })();
  while (router.inspect('p').held <= HOLD_MAX_FRAMES) await settle();
  for (let turn = 0; turn < 500; turn++) await settle();
  t.true(taken < COUNT, `the sender was held back after ${taken}`);
  t.is(router.inspect('p').held, HOLD_MAX_FRAMES + 1);
  serve();
  router.release('p');
  await sending;
  t.deepEqual(await here.network.sendTo(target.nodeId, ask, { n: 1 }), { n: 1 });
  while (seen.length < COUNT) await settle();
  t.is(new Set(seen).size, COUNT);
  t.deepEqual(
    seen.findIndex((n, at) => n !== at),
    -1,
    'in the order they were sent',
  );
  t.is(there.network.connections().length, 1);
});
