import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { addressBlocks } from '../../kernel/transport/address-blocks.ts';
import {
  HANDED_OUT_MAX,
  ReferralList,
  WAITING_MAX,
  WAITING_PER_BLOCK_MAX,
} from '../../plugins/anchors/referral-list.ts';

const id = (number: number) => number.toString(16).padStart(64, '0') as NodeId;
const blocksOf = addressBlocks();
const asker = (number: number) => id(1_000_000 + number);

function listOf(count: number): ReferralList {
  const list = new ReferralList({ blocksOf });
  for (let at = 0; at < count; at++) list.register(id(at), [`5.0.${at >> 8}.${at & 255}:4433`], 0);
  return list;
}

for (const [count, usesMax] of [
  [49, 3],
  [50, 2],
  [99, 2],
  [100, 1],
] as const) {
  test(`with ${count} registrants each is released after ${usesMax} uses, and not before`, (t) => {
    for (let use = 1; use <= usesMax; use++) {
      const list = new ReferralList({ blocksOf });
      list.restore(
        listOf(count)
          .entries()
          .map((entry) => ({ ...entry, use_count: use - 1 })),
      );
      t.is(list.usesMax, usesMax);
      t.is(list.handOut(asker(0), 0).length, HANDED_OUT_MAX);
      t.is(list.size, use < usesMax ? count : count - HANDED_OUT_MAX);
    }
  });
}

test('the least used are given first: uses differ by one at most after 100 requests', (t) => {
  const list = listOf(49);
  for (let at = 0; at < 100 && list.size > 0; at++) {
    list.handOut(asker(at), 0);
    const uses = list.entries().map(({ use_count }) => use_count);
    if (uses.length > 0) t.true(Math.max(...uses) - Math.min(...uses) <= 1);
  }
});

test('nobody is referred to itself', (t) => {
  const list = listOf(3);
  t.false(list.handOut(id(1), 0).some(({ node_id }) => node_id === id(1)));
});

test('who asks again gets the same ones, and uses nobody up', (t) => {
  const list = listOf(5);
  const first = list.handOut(asker(0), 0).map(({ node_id }) => node_id);
  for (let again = 0; again < 10; again++)
    t.deepEqual(
      list.handOut(asker(0), 0).map(({ node_id }) => node_id),
      first,
    );
  t.deepEqual(
    list.entries().map(({ use_count }) => use_count),
    [1, 1, 1, 1, 1],
  );
});

test('registering again brings no further uses', (t) => {
  const list = listOf(1);
  list.handOut(asker(0), 0);
  list.register(id(0), ['5.0.0.9:4433'], 0);
  t.like(list.entries()[0], { use_count: 1, addresses: ['5.0.0.9:4433'] });
});

test('who disconnects stays for two minutes', (t) => {
  const list = listOf(2);
  list.disconnected(id(0), 1_000);
  list.prune(120_999);
  t.true(list.has(id(0)));
  list.prune(121_000);
  t.false(list.has(id(0)));
  t.true(list.has(id(1)));
});

test('who comes back within the grace stays for good', (t) => {
  const list = listOf(1);
  list.disconnected(id(0), 1_000);
  list.reconnected(id(0));
  list.prune(1_000_000);
  t.true(list.has(id(0)));
});

test('one machine with many names fills only its share of the list', (t) => {
  const list = new ReferralList({ blocksOf });
  for (let at = 0; at < 500; at++) list.register(id(at), [`6.6.6.6:${1_000 + at}`], 0);
  t.is(list.size, WAITING_PER_BLOCK_MAX);
  t.true(list.register(id(900), ['7.7.7.7:4433'], 0));
});

test('one machine had an IPv6 address for each of its names, and filled the list', (t) => {
  const list = new ReferralList({ blocksOf });
  for (let at = 0; at < 500; at++) list.register(id(at), [`[2600:1::${at.toString(16)}]:4433`], 0);
  t.is(list.size, WAITING_PER_BLOCK_MAX);
  for (let at = 0; at < 500; at++) list.register(id(1_000 + at), [`[2600:1:0:${at.toString(16)}::1]:4433`], 0);
  t.is(list.size, 4 * WAITING_PER_BLOCK_MAX, 'a /48 has four shares');
});

test('a full list gives the place of the most used to a newcomer', (t) => {
  const list = listOf(WAITING_MAX);
  t.is(list.size, WAITING_MAX);
  list.register(id(5_000), ['9.9.9.9:1'], 0);
  t.is(list.size, WAITING_MAX);
  t.true(list.has(id(5_000)));
});
