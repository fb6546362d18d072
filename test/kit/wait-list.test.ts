import { getEventListeners } from 'node:events';
import test from 'ava';
import { WaitList } from '../../kernel/index.ts';

const list = <T = void>(max = 10) => new WaitList<T>({ max, full: () => new Error('full') });

test('first come, first served', async (t) => {
  const waiters = list<number>();
  const order: number[] = [];
  const waits = [1, 2, 3].map((who) => waiters.wait().then((value) => order.push(who * 10 + value)));
  t.is(waiters.size, 3);
  t.true(waiters.next(1));
  t.true(waiters.next(2));
  t.is(waiters.size, 1);
  waiters.all(3);
  await Promise.all(waits);
  t.deepEqual(order, [11, 22, 33]);
  t.false(waiters.next(4), 'nobody waits');
});

test('one too many is refused, and takes no place', async (t) => {
  const waiters = list(2);
  const first = waiters.wait();
  const second = waiters.wait();
  await t.throwsAsync(waiters.wait(), { message: 'full' });
  waiters.next();
  await first;
  const third = waiters.wait();
  waiters.all();
  await Promise.all([second, third]);
});

test('who gives up loses its place, and is not served', async (t) => {
  const waiters = list<string>();
  const leaver = new AbortController();
  const left = waiters.wait(leaver.signal);
  const stayed = waiters.wait(new AbortController().signal);
  leaver.abort(new Error('left'));
  await t.throwsAsync(left, { message: 'left' });
  t.true(waiters.next('x'));
  t.is(await stayed, 'x');
  leaver.abort();
  await t.throwsAsync(waiters.wait(AbortSignal.abort(new Error('gone'))), { message: 'gone' });
  t.is(waiters.size, 0);
});

test('all that wait can be refused; who comes after waits anew', async (t) => {
  const waiters = list();
  const waits = [waiters.wait(), waiters.wait(new AbortController().signal)];
  waiters.refuseAll(new Error('ended'));
  for (const wait of waits) await t.throwsAsync(wait, { message: 'ended' });
  const next = waiters.wait();
  waiters.all();
  await next;
});

test('who comes while all are let on waits for the next time', async (t) => {
  const waiters = list();
  let second: Promise<void> | undefined;
  const first = waiters.wait().then(() => {
    second = waiters.wait();
  });
  waiters.all();
  await first;
  t.is(waiters.size, 1);
  waiters.all();
  await second;
});

test('no listener is left on a long-lived signal', async (t) => {
  const waiters = list();
  const { signal } = new AbortController();
  const served = waiters.wait(signal);
  const refused = waiters.wait(signal);
  t.is(getEventListeners(signal, 'abort').length, 2);
  waiters.next();
  waiters.refuseAll(new Error('ended'));
  await served;
  await t.throwsAsync(refused);
  t.is(getEventListeners(signal, 'abort').length, 0);
});
