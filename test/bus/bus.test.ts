import test from 'ava';
import { map } from 'rxjs';
import { type BusEvent, createBus } from '../../kernel/bus/index.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { createCounters, createLog } from '../../kernel/observe/index.ts';
import { defineTopic } from '../../kernel/sdk/topic.ts';

const posted = defineTopic<{ id: number; tags?: string[]; bytes?: Uint8Array }>('post/stored');
const closed = defineTopic<{ id: number }>('connection/closed');

function setUp() {
  const clock = new VirtualClock();
  const counters = createCounters();
  const log = createLog({ level: 'debug', clock, to: 'none' });
  return { clock, counters, log, bus: createBus({ log: log.area('kernel/bus'), counters, clock }) };
}

test('a listener that throws or rejects is counted against its owner and stays subscribed', async (t) => {
  const { bus, counters, log, clock } = setUp();
  const seen: number[] = [];
  bus.subscribe('bad', posted, () => {
    throw new Error('thrown');
  });
  bus.subscribe('worse', posted, async () => {
    throw new Error('rejected');
  });
  bus.subscribe('good', posted, ({ id }) => void seen.push(id));
  bus.publish(posted, { id: 1 });
  bus.publish(posted, { id: 2 });
  await clock.settle();
  t.deepEqual(seen, [1, 2]);
  t.is(counters.of('bad').read()['listener-failed'], 2);
  t.is(counters.of('worse').read()['listener-failed'], 2);
  t.deepEqual(counters.of('good').read(), {});
  t.is(log.recent().filter(({ event }) => event === 'listener-failed').length, 4);
});

test('events are frozen all the way down', (t) => {
  const { bus } = setUp();
  const bytes = new Uint8Array(4);
  bus.subscribe('a', posted, (event) => {
    t.throws(() => Object.assign(event, { id: 9 }), { instanceOf: TypeError });
    t.throws(() => event.tags?.push('x'), { instanceOf: TypeError });
    t.is(event.bytes, bytes);
  });
  t.plan(3);
  bus.publish(posted, { id: 1, tags: ['a'], bytes });
});

test('an event published by a listener reaches everybody after the one it answers', (t) => {
  const { bus } = setUp();
  const seen: string[] = [];
  bus.subscribe('a', posted, ({ id }) => {
    seen.push(`a${id}`);
    if (id === 1) bus.publish(posted, { id: 2 });
  });
  bus.subscribe('b', posted, ({ id }) => void seen.push(`b${id}`));
  bus.publish(posted, { id: 1 });
  t.deepEqual(seen, ['a1', 'b1', 'a2', 'b2']);
});

test('two listeners that answer each other for ever are cut off and counted', (t) => {
  const { bus, counters } = setUp();
  let calls = 0;
  bus.subscribe('a', posted, ({ id }) => {
    calls++;
    bus.publish(posted, { id: id + 1 });
  });
  bus.publish(posted, { id: 0 });
  t.is(calls, 10_000);
  t.is(counters.of('kernel/bus').read()['dropped:post/stored'], 1);
});

test('a slow listener has 64 calls pending, 1,024 events waiting, and the rest dropped and counted', async (t) => {
  const { bus, counters, clock } = setUp();
  const started: number[] = [];
  bus.subscribe('slow', posted, async ({ id }) => {
    started.push(id);
    await clock.sleep(100);
  });
  for (let id = 0; id < 64 + 1_024 + 5; id++) bus.publish(posted, { id });
  t.is(started.length, 64);
  t.is(counters.of('slow').read()['events-dropped'], 5);
  await clock.advance(100 * 20);
  t.deepEqual(
    started,
    Array.from({ length: 1_088 }, (_, id) => id),
  );
});

test('a listener that never finishes loses its place after a minute', async (t) => {
  const { bus, counters, clock } = setUp();
  const started: number[] = [];
  bus.subscribe('stuck', posted, ({ id }) => {
    started.push(id);
    return new Promise(() => {});
  });
  for (let id = 0; id < 65; id++) bus.publish(posted, { id });
  t.is(started.length, 64);
  await clock.advance(60_000);
  t.is(started.length, 65);
  t.is(counters.of('stuck').read()['listener-stalled'], 64);
});

test('unsubscribing ends delivery, queued events included, and leaves no subscription', async (t) => {
  const { bus, clock } = setUp();
  let calls = 0;
  const stop = bus.subscribe('a', posted, async () => {
    calls++;
    await clock.sleep(10);
  });
  bus.subscribe('a', closed, () => {});
  t.deepEqual(bus.subscriptions('a'), ['connection/closed', 'post/stored']);
  for (let id = 0; id < 70; id++) bus.publish(posted, { id });
  stop();
  stop();
  bus.publish(posted, { id: 99 });
  await clock.advance(1_000);
  t.is(calls, 64);
  t.deepEqual(bus.subscriptions('a'), ['connection/closed']);
});

// Serial: RxJS has one hook for such errors a process, and the last bus made has it.
test.serial('a stream completes with the bus; what its operators throw is logged', async (t) => {
  const { bus, clock, log } = setUp();
  const seen: number[] = [];
  let completed = false;
  const complete = (): void => {
    completed = true;
  };
  bus.stream(posted, 'a').subscribe({ next: ({ id }) => void seen.push(id), complete });
  bus
    .stream(posted)
    .pipe(
      map(() => {
        throw new Error('in an operator');
      }),
    )
    .subscribe();
  t.deepEqual(bus.subscriptions('a'), ['post/stored']);
  bus.publish(posted, { id: 1 });
  bus.publish(posted, { id: 2 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.settle();
  t.true(log.recent().some(({ event }) => event === 'stream-failed'));
  bus.close();
  bus.publish(posted, { id: 3 });
  t.deepEqual(seen, [1, 2]);
  t.true(completed);
  t.deepEqual(bus.subscriptions('a'), []);
});

test('all() gives every event with its name and time, heard by a listener or not', (t) => {
  const { bus, clock } = setUp();
  const seen: BusEvent[] = [];
  const subscription = bus.all().subscribe((event) => void seen.push(event));
  bus.publish(posted, { id: 1 });
  bus.publish(closed, { id: 2 });
  subscription.unsubscribe();
  bus.publish(closed, { id: 3 });
  t.deepEqual(seen, [
    { topic: 'post/stored', atMs: clock.now(), event: { id: 1 } },
    { topic: 'connection/closed', atMs: clock.now(), event: { id: 2 } },
  ]);
});
