import test from 'ava';
import { createBus } from '../../kernel/bus/index.ts';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { defineTopic } from '../../kernel/index.ts';
import { EventPort, HELD_EVENTS_MAX } from '../../kernel/lifecycle/event-port.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { recordingLog } from '../rig/recording-log.ts';

const HAPPENED = defineTopic<number>('test/happened');
const SAID = defineTopic<number>('test/said');

function rig() {
  const counters = createCounters();
  const bus = createBus({ log: recordingLog(), counters, clock: new VirtualClock() });
  const failures: [string, unknown][] = [];
  const port = new EventPort(bus, 'ear', counters.of('ear'), (where, error) => failures.push([where, error]));
  const heard: number[] = [];
  const said: number[] = [];
  bus.subscribe('test', SAID, (n) => void said.push(n));
  return { bus, port, failures, heard, said, counted: () => counters.of('ear').read() };
}

test('a generation hears nothing before its hold, what came during it after the commit, then all at once', (t) => {
  const { bus, port, heard } = rig();
  port.on(HAPPENED, (n) => void heard.push(n));
  bus.publish(HAPPENED, 1);
  port.collect();
  bus.publish(HAPPENED, 2);
  bus.publish(HAPPENED, 3);
  t.deepEqual(heard, []);
  port.live();
  t.deepEqual(heard, [2, 3]);
  bus.publish(HAPPENED, 4);
  t.deepEqual(heard, [2, 3, 4]);
});

test('of more events than are kept the oldest are dropped and counted', (t) => {
  const { bus, port, heard, counted } = rig();
  port.on(HAPPENED, (n) => void heard.push(n));
  port.collect();
  for (let n = 0; n < HELD_EVENTS_MAX + 2; n++) bus.publish(HAPPENED, n);
  port.live();
  t.is(heard.length, HELD_EVENTS_MAX);
  t.is(heard[0], 2);
  t.is(counted()['events-dropped-while-held'], 2);
});

test('what is said before the commit follows it, in order, and what is beyond the cap goes out at once', (t) => {
  const { port, said } = rig();
  for (let n = 0; n <= HELD_EVENTS_MAX; n++) port.emit(SAID, n);
  t.deepEqual(said, [HELD_EVENTS_MAX]);
  port.live();
  t.is(said.length, HELD_EVENTS_MAX + 1);
  t.deepEqual(said.slice(1, 4), [0, 1, 2]);
  port.emit(SAID, -1);
  t.is(said.at(-1), -1);
  port.live();
  t.is(said.length, HELD_EVENTS_MAX + 2, 'nothing is said twice');
  port.collect();
  port.emit(SAID, -2);
  t.is(said.at(-1), -2, 'a generation that is held still speaks');
});

test('who unsubscribes or is closed hears nothing more, and a late subscription none at all', (t) => {
  const { bus, port, heard } = rig();
  const stop = port.on(HAPPENED, (n) => void heard.push(n));
  port.on(HAPPENED, (n) => void heard.push(10 * n));
  port.live();
  t.deepEqual(port.topics, ['test/happened', 'test/happened']);
  stop();
  t.deepEqual(port.topics, ['test/happened']);
  bus.publish(HAPPENED, 1);
  t.deepEqual(heard, [10]);
  port.close();
  t.deepEqual([port.topics, bus.subscriptions('ear')], [[], []]);
  port.on(HAPPENED, () => t.fail())();
  bus.publish(HAPPENED, 2);
  t.deepEqual(bus.subscriptions('ear'), []);
  t.deepEqual(heard, [10]);
});

test('what was collected is forgotten at the close', (t) => {
  const { bus, port, heard } = rig();
  port.on(HAPPENED, (n) => void heard.push(n));
  port.collect();
  bus.publish(HAPPENED, 1);
  port.close();
  port.live();
  t.deepEqual(heard, []);
});

test('what a listener throws or rejects with is reported with its topic, and the others hear all the same', async (t) => {
  const { bus, port, failures, heard } = rig();
  port.on(HAPPENED, () => {
    throw new Error('thrown');
  });
  port.on(HAPPENED, () => Promise.reject(new Error('rejected')));
  port.on(HAPPENED, (n) => void heard.push(n));
  port.live();
  bus.publish(HAPPENED, 1);
  t.is(port.running.length, 1);
  await Promise.all(port.running);
  t.is(port.running.length, 0);
  t.deepEqual(heard, [1]);
  t.like(failures, [
    ['listener of test/happened', { message: 'thrown' }],
    ['listener of test/happened', { message: 'rejected' }],
  ]);
});
