import { getEventListeners } from 'node:events';
import test from 'ava';
import { untilAborted } from '../../kernel/index.ts';

test('the outcome of the work comes through, whatever it is', async (t) => {
  const { signal } = new AbortController();
  t.is(await untilAborted(Promise.resolve(1), signal), 1);
  await t.throwsAsync(untilAborted(Promise.reject(new Error('work')), signal), { message: 'work' });
  t.is(await untilAborted(Promise.resolve(2), undefined), 2);
});

test('who stops waiting gets the reason, and the others the outcome', async (t) => {
  const work = Promise.withResolvers<string>();
  const leaver = new AbortController();
  const left = untilAborted(work.promise, leaver.signal);
  const stayed = untilAborted(work.promise, new AbortController().signal);
  leaver.abort(new Error('left'));
  await t.throwsAsync(left, { message: 'left' });
  work.resolve('done');
  t.is(await stayed, 'done');
});

test('a signal that aborted before stops at once, even where the work is done', async (t) => {
  const gone = AbortSignal.abort(new Error('gone'));
  await t.throwsAsync(untilAborted(Promise.resolve(1), gone), { message: 'gone' });
});

test('no listener is left on a long-lived signal, and no rejection unhandled', async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const controller = new AbortController();
  const { signal } = controller;
  for (let n = 0; n < 100; n++) await untilAborted(Promise.resolve(n), signal);
  await t.throwsAsync(untilAborted(Promise.reject(new Error('x')), signal));
  await Promise.resolve();
  t.is(getEventListeners(signal, 'abort').length, 0);
  const failing = Promise.withResolvers<never>();
  const waiting = untilAborted(failing.promise, signal);
  controller.abort(new Error('left'));
  await t.throwsAsync(waiting, { message: 'left' });
  failing.reject(new Error('too late'));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(unhandled, []);
});
