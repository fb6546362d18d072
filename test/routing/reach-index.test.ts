import test from 'ava';
import fc from 'fast-check';
import { seededRandom, VirtualClock } from '../../kernel/clock/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { createCounters } from '../../kernel/observe/index.ts';
import { decodeIds, ID_WORDS, N1_SHARE_MAX, N2_SHARE_MAX, SHORT_WORDS } from '../../plugins/routing/id-list.ts';
import { ReachIndex } from '../../plugins/routing/reach-index.ts';
import { nodeIds, peerOf } from './ids.ts';

const SELF = nodeIds('self', 1)[0] as NodeId;
const IDS = nodeIds('universe', 40);
const PEERS = nodeIds('peers', 40);

function makeIndex(n3IdsMax?: number) {
  const clock = new VirtualClock();
  const counters = createCounters().of('mesh');
  const random = seededRandom('index');
  const limit = n3IdsMax === undefined ? {} : { n3IdsMax };
  return { clock, counters, index: new ReachIndex({ self: SELF, clock, random, counters, ...limit }) };
}

const lists = (n2: readonly string[], n3: readonly string[]) => ({
  n2: decodeIds([...n2], ID_WORDS) as Uint32Array,
  n3: decodeIds([...n3], SHORT_WORDS) as Uint32Array,
});

/** All there is to see of an index. */
function view(index: ReachIndex) {
  return {
    n2Size: index.n2Size,
    n3Size: index.n3Size,
    n2: index.n2().sort(),
    nodes: [...IDS, ...PEERS].map((id) => {
      const { n2, n3 } = index.reportersOf(id);
      return { layer: index.layerOf(id), n2: [...n2].sort(), n3: [...n3].sort() };
    }),
  };
}

type Naive = Map<NodeId, { n2: Set<NodeId>; n3: Set<NodeId> }>;

function viewNaive(model: Naive) {
  const reporters = (id: NodeId, layer: 'n2' | 'n3') =>
    [...model].flatMap(([peer, said]) => (said[layer].has(id) ? [peer] : [])).sort();
  const all = (layer: 'n2' | 'n3') => [...new Set([...model.values()].flatMap((said) => [...said[layer]]))].sort();
  return {
    n2Size: all('n2').length,
    n3Size: all('n3').length,
    n2: all('n2'),
    nodes: [...IDS, ...PEERS].map((id) => {
      const [n2, n3] = [reporters(id, 'n2'), reporters(id, 'n3')];
      return { layer: n2.length > 0 ? 'n2' : n3.length > 0 ? 'n3' : 'none', n2, n3 };
    }),
  };
}

const someIds = fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 12 });
const aPeer = fc.constantFrom(...PEERS);
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('diff' as const),
      peer: aPeer,
      a: someIds,
      b: someIds,
      c: someIds,
      d: someIds,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('list' as const), peer: aPeer, a: someIds, b: someIds }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), peer: aPeer }) },
);

test('random lists, diffs and drops leave what a naive model has, and what whole lists at the end would give', (t) => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const { index } = makeIndex();
      const model: Naive = new Map();
      for (const step of operations) {
        if (step.kind === 'drop') {
          index.drop(peerOf(step.peer));
          model.delete(step.peer);
        } else if (step.kind === 'list') {
          index.replace(peerOf(step.peer), lists(step.a, step.b), 1);
          model.set(step.peer, { n2: new Set(step.a), n3: new Set(step.b) });
        } else {
          const reporter = index.reporters.get(peerOf(step.peer));
          const said = model.get(step.peer);
          if (reporter === undefined || said === undefined) continue;
          index.apply(reporter, lists(step.a, step.b), lists(step.c, step.d), 2);
          for (const id of step.c) said.n2.delete(id);
          for (const id of step.d) said.n3.delete(id);
          for (const id of step.a) said.n2.add(id);
          for (const id of step.b) said.n3.add(id);
        }
      }
      t.deepEqual(view(index), viewNaive(model));
      const resynced = makeIndex().index;
      for (const [peer, said] of model) resynced.replace(peerOf(peer), lists([...said.n2], [...said.n3]), 1);
      t.deepEqual(view(index), view(resynced));
    }),
    { numRuns: 150, seed: 7 },
  );
});

test('twenty thousand ids come, go and come again with none lost and none left', (t) => {
  const { index } = makeIndex();
  const ids = nodeIds('many', 16_000);
  const [one, two] = PEERS as [NodeId, NodeId];
  for (let round = 0; round < 3; round++) {
    index.replace(peerOf(one), lists([], ids.slice(0, 12_000)), 1);
    index.replace(peerOf(two), lists([], ids.slice(4_000)), 1);
    t.is(index.n3Size, 16_000);
    t.true(ids.every((id) => index.layerOf(id) === 'n3'));
    index.drop(peerOf(one));
    t.is(index.n3Size, 12_000);
    t.true(ids.every((id, i) => index.layerOf(id) === (i < 4_000 ? 'none' : 'n3')));
    index.drop(peerOf(two));
    t.is(index.n3Size, 0);
  }
});

test('neither ourselves nor the reporter itself is taken from a list', (t) => {
  const { index } = makeIndex();
  const [peer, other] = PEERS as [NodeId, NodeId];
  index.replace(peerOf(peer), lists([SELF, peer, other], [SELF, peer, other]), 1);
  t.deepEqual(index.n2(), [other]);
  t.is(index.layerOf(SELF), 'none');
  t.is(index.n3Size, 1);
});

test('candidates are ordered by 1/reporters, with 0.3 on top for those not in N3', (t) => {
  const { index } = makeIndex();
  const [one, two, three] = PEERS as [NodeId, NodeId, NodeId];
  const [a, b, c, d] = IDS as [NodeId, NodeId, NodeId, NodeId];
  index.replace(peerOf(one), lists([a, b, c, d], []), 1);
  index.replace(peerOf(two), lists([b, c], [a]), 1);
  index.replace(peerOf(three), lists([c], []), 1);
  t.deepEqual(
    index.candidates(10, () => false).map(({ nodeId, reporterCount, inN3 }) => [nodeId, reporterCount, inN3]),
    [
      [d, 1, false],
      [a, 1, true],
      [b, 2, false],
      [c, 3, false],
    ],
  );
  t.deepEqual(
    index.candidates(1, (id) => id === d).map(({ nodeId }) => nodeId),
    [a],
  );
});

test('candidates of one score come in random order', (t) => {
  const { index } = makeIndex();
  index.replace(peerOf(PEERS[0] as NodeId), lists(IDS, []), 1);
  const firsts = new Set(Array.from({ length: 40 }, () => index.candidates(1, () => false)[0]?.nodeId));
  t.true(firsts.size > 10, `${firsts.size} different ones first`);
});

test('a random node of N2 is found however few are not excluded', (t) => {
  const { index } = makeIndex();
  t.is(
    index.randomN2(() => false),
    undefined,
  );
  index.replace(peerOf(PEERS[0] as NodeId), lists(IDS, []), 1);
  t.is(
    index.randomN2((id) => id !== IDS[17]),
    IDS[17],
  );
  t.is(
    index.randomN2(() => true),
    undefined,
  );
});

test('a liar with invented ids gets its quota and displaces nobody; each refuted id costs it half', (t) => {
  const { index, counters } = makeIndex();
  const [honest, liar] = PEERS as [NodeId, NodeId];
  index.replace(peerOf(honest), lists(IDS, IDS), 1);
  const before = view(index);
  const invented = nodeIds('invented', N2_SHARE_MAX + 500);
  index.replace(peerOf(liar), lists(invented.slice(0, N1_SHARE_MAX + 100), invented), 1);
  const reporter = index.reporters.get(peerOf(liar));
  if (reporter === undefined) return t.fail();
  t.deepEqual(index.countsOf(reporter), { n2: N1_SHARE_MAX, n3: N2_SHARE_MAX });
  t.is(counters.read()['ids-over-quota.n2'], 100);
  t.is(counters.read()['ids-over-quota.n3'], 500);
  for (let count = 0; count < 5; count++) index.judge(liar, 'refuted');
  t.deepEqual(index.countsOf(reporter), { n2: N1_SHARE_MAX / 32, n3: N2_SHARE_MAX / 32 });
  // Coming again buys nothing.
  index.drop(peerOf(liar));
  t.deepEqual(view(index), before);
  index.replace(peerOf(liar), lists([], invented), 1);
  const again = index.reporters.get(peerOf(liar));
  t.is(again && index.countsOf(again).n3, N2_SHARE_MAX / 32);
  index.drop(peerOf(liar));
  t.deepEqual(view(index), before);
});

test('what a peer proves lifts its standing, and so does time', async (t) => {
  const { index, clock } = makeIndex();
  const peer = PEERS[0] as NodeId;
  const standing = (): number => index.reporters.standing(peer, clock.now());
  index.judge(peer, 'refuted');
  index.judge(peer, 'refuted');
  t.is(standing(), 0.25);
  index.judge(peer, 'proved');
  t.is(standing(), 0.375);
  await clock.advance(3_600_000);
  t.is(standing(), 0.75);
  index.judge(peer, 'proved');
  t.is(standing(), 1);
});

test('in a full layer the largest reporter makes room for the others, never the other way round', (t) => {
  const { index } = makeIndex(1_000);
  const [honest, liar, late] = PEERS as [NodeId, NodeId, NodeId];
  const known = nodeIds('known', 200);
  const more = nodeIds('more', 300);
  index.replace(peerOf(honest), lists([], known), 1);
  index.replace(peerOf(liar), lists([], nodeIds('invented', 5_000)), 1);
  t.is(index.n3Size, 1_000);
  index.replace(peerOf(late), lists([], more), 1);
  t.true([...known, ...more].every((id) => index.layerOf(id) === 'n3'));
  index.replace(peerOf(liar), lists([], nodeIds('others', 5_000)), 1);
  t.true([...known, ...more].every((id) => index.layerOf(id) === 'n3'));
  t.true(index.n3Size <= 1_000);
});
