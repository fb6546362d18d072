import test from 'ava';
import {
  SHARED_UNANSWERED_MAX,
  SHARED_UNANSWERED_SHARE_MAX,
  SHARED_WAITING_MAX,
  SHARED_WAITING_SHARE_MAX,
} from '../../kernel/wire/limits.ts';
import { Turns } from '../../kernel/wire/shared/turns.ts';
import type { Line } from '../../kernel/wire/shared/turns.ts';
import { FakeStream, connectionPair, testPeer } from './pair.ts';
import { ask, note, ping } from './rig.ts';

const [near] = connectionPair(testPeer('a'), testPeer('b'));
const stream = new FakeStream(near, 'bi', 1);

/** Who is let on while there is room for `count` more, by line. */
function served(turns: Turns, count: number): Line[] {
  const order: Line[] = [];
  turns.serve(
    () => order.length < count,
    (line) => {
      turns.take(line);
      order.push(line);
      return stream;
    },
  );
  return order;
}

test('lines take turns, also when there is room for one at a time', async (t) => {
  const turns = new Turns();
  const [a, b, c] = [turns.line(note), turns.line(ask), turns.line(ping)];
  const waiting = [a, a, a, a, b, b, c].map((line) => turns.wait(line, undefined));
  t.is(turns.waiting, 7);
  t.deepEqual([...served(turns, 1), ...served(turns, 1), ...served(turns, 1)], [a, b, c]);
  t.deepEqual(served(turns, 2), [a, b]);
  t.deepEqual(served(turns, 9), [a, a]);
  await Promise.all(waiting);
  t.is(turns.waiting, 0);
  t.is(turns.line(note), a);
});

test('one message has half of the places, and all together have them all', (t) => {
  const turns = new Turns();
  const [first, second, third] = [turns.line(ask), turns.line(ping), turns.line({ ...ping, name: 'acme/other@1' })];
  for (const line of [first, second]) {
    for (let n = 0; n < SHARED_UNANSWERED_SHARE_MAX; n++) {
      t.true(turns.hasPlace(line));
      turns.take(line);
    }
    t.false(turns.hasPlace(line));
  }
  t.is(SHARED_UNANSWERED_MAX, 2 * SHARED_UNANSWERED_SHARE_MAX);
  t.false(turns.hasPlace(third));
  turns.give(first);
  t.true(turns.hasPlace(third));
  turns.take(third);
  t.false(turns.hasPlace(first));
});

test('a notice needs no place', (t) => {
  const turns = new Turns();
  const line = turns.line(note);
  for (let n = 0; n < 2 * SHARED_UNANSWERED_MAX; n++) turns.take(line);
  t.true(turns.hasPlace(line));
  t.true(turns.hasPlace(turns.line(ask)));
});

test('so many may wait in one line, and so many in all', async (t) => {
  const turns = new Turns();
  const full = { code: 'transport/too-many-streams' };
  const waiting = [note, ask].flatMap((message) =>
    Array.from({ length: SHARED_WAITING_SHARE_MAX }, () => turns.wait(turns.line(message), undefined)),
  );
  await t.throwsAsync(turns.wait(turns.line(note), undefined), full);
  t.is(turns.waiting, SHARED_WAITING_MAX);
  await t.throwsAsync(turns.wait(turns.line(ping), undefined), full);
  turns.serveAll(() => stream);
  await Promise.all(waiting);
  t.is(turns.waiting, 0);
});
