import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { CLEANUP_LIMIT_MS, Scope } from '../../kernel/lifecycle/scope.ts';
import { recordingLog } from '../rig/recording-log.ts';

test('undo steps run last in, first out, one at a time', async (t) => {
  const scope = new Scope(recordingLog(), new VirtualClock());
  const order: string[] = [];
  scope.defer('a', () => void order.push('a'));
  scope.defer('b', async () => {
    order.push('b begins');
    await Promise.resolve();
    order.push('b ends');
  });
  await scope.close();
  t.deepEqual(order, ['b begins', 'b ends', 'a']);
  t.is(scope.size, 0);
});

test('a step that throws is reported and the next one runs', async (t) => {
  const log = recordingLog();
  const scope = new Scope(log, new VirtualClock());
  let ran = false;
  scope.defer('good', () => {
    ran = true;
  });
  scope.defer('bad', () => {
    throw new Error('no');
  });
  await scope.close();
  t.true(ran);
  t.deepEqual(log.events(), ['cleanup-failed']);
});

test('a step that hangs is given up after its limit', async (t) => {
  const clock = new VirtualClock();
  const log = recordingLog();
  const scope = new Scope(log, clock);
  let ran = false;
  scope.defer('good', () => {
    ran = true;
  });
  scope.defer('hangs', () => new Promise(() => {}));
  const closing = scope.close();
  await clock.advance(CLEANUP_LIMIT_MS);
  await closing;
  t.true(ran);
  t.deepEqual(log.events(), ['cleanup-timeout']);
});

test('the signal aborts before anything is undone, and a late step runs at once', async (t) => {
  const scope = new Scope(recordingLog(), new VirtualClock());
  let abortedFirst = false;
  scope.defer('check', () => {
    abortedFirst = scope.signal.aborted;
  });
  await scope.close(new Error('over'));
  t.true(abortedFirst);
  let late = false;
  scope.defer('late', () => {
    late = true;
  });
  t.true(late);
});
