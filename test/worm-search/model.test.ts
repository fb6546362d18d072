import test from 'ava';
import { seededRandom } from '../../kernel/clock/index.ts';
import { growTopology } from '../../bench/worm/topology.ts';
import { measureWorm } from '../../bench/worm/worm.ts';

test('10,000 nodes: ids outside N3 are found in time and within 202 hops', (t) => {
  const figures = measureWorm('test', 200, ['outside N3', '10 links, 101 slots']);
  t.is(figures.length, 2);
  for (const { what, success, medianMs, maxMs, relayHopsMax, queries, flooding } of figures) {
    t.true(success >= 0.99, `${what}: ${success}`);
    t.true(medianMs <= 1_500, `${what}: ${medianMs} ms`);
    t.true(maxMs <= 3_000, `${what}: ${maxMs} ms`);
    t.true(relayHopsMax <= 202, `${what}: ${relayHopsMax} hops`);
    t.true(queries < flooding / 50, `${what}: ${queries} queries, ${flooding} by flooding`);
  }
});

test('the same seed gives the same searches', (t) => {
  const once = (): unknown => measureWorm(7, 10, ['outside N3']);
  t.deepEqual(once(), once());
});

test('a grown topology fills its slots, goes over none of them and is one piece', (t) => {
  const { peers, nodes } = growTopology({ nodes: 1_000, slots: 15, random: seededRandom(1) });
  t.true(peers.every((list, id) => list.length <= 15 && new Set(list).size === list.length && !list.includes(id)));
  const filled = peers.filter((list) => list.length >= 14).length;
  t.true(filled >= 0.9 * nodes, `${filled} of ${nodes}`);
  const reached = new Set([0]);
  for (const id of reached) for (const peer of peers[id] ?? []) reached.add(peer);
  t.is(reached.size, nodes);
});
