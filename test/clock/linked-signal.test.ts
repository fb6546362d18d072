import { getEventListeners } from 'node:events';
import test from 'ava';
import { linkSignals, VirtualClock } from '../../kernel/clock/index.ts';

test('aborts with the reason of whichever parent comes first', (t) => {
  const [a, b] = [new AbortController(), new AbortController()];
  const linked = linkSignals([a.signal, undefined, b.signal]);
  b.abort('second');
  a.abort('first');
  t.is(linked.signal.reason, 'second');
  t.true(linkSignals([b.signal]).signal.aborted);
});

test('leaves nothing on a long-lived parent', async (t) => {
  const parent = new AbortController();
  const clock = new VirtualClock();
  for (let i = 0; i < 100; i++) linkSignals([parent.signal], { deadlineMs: 1_000, clock }).dispose();
  for (let i = 0; i < 100; i++) linkSignals([parent.signal], { deadlineMs: 1_000, clock }).abort('done');
  t.is(getEventListeners(parent.signal, 'abort').length, 0);
  t.is(clock.pending, 0);
});

test('the deadline aborts with its own code and takes the listeners along', async (t) => {
  const parent = new AbortController();
  const clock = new VirtualClock();
  const { signal } = linkSignals([parent.signal], { deadlineMs: 500, clock });
  await clock.advance(499);
  t.false(signal.aborted);
  await clock.advance(1);
  t.is(signal.reason.code, 'clock/deadline');
  t.is(getEventListeners(parent.signal, 'abort').length, 0);
});
