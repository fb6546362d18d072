import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import type { Attempt } from '../../plugins/mesh/growth/attempt.ts';
import { FAILURES_MAX, Growth, REDIRECTS_MAX } from '../../plugins/mesh/growth/growth.ts';
import { REFUSALS_MAX } from '../../plugins/mesh/growth/growth-backoff.ts';
import { candidateScore } from '../../plugins/routing/api.ts';
import { nodeIds } from '../routing/ids.ts';

const ids = nodeIds('growth', 200);
const id = (n: number): NodeId => ids[n] as NodeId;

/** Growth over candidates of the test's making: candidate `n` is reported by `reporters(n)`. */
function world(
  options: { candidates?: number; limit?: number; used?: number; reporters?: (n: number) => NodeId[] } = {},
) {
  const state = { nowMs: 0, used: options.used ?? 0, candidates: options.candidates ?? 50, from: 0 };
  const members = new Set<NodeId>();
  const reporters = (nodeId: NodeId) => options.reporters?.(ids.indexOf(nodeId)) ?? [];
  const growth = new Growth({
    clock: { now: () => state.nowMs },
    knowledge: {
      candidates: (limit, isExcluded = () => false) =>
        ids
          .slice(state.from, state.candidates)
          .filter((nodeId) => !isExcluded(nodeId))
          .slice(0, limit)
          .map((nodeId) => ({ nodeId, reporterCount: 1, inN3: false })),
      reporters,
    },
    room: () => ({ used: state.used, limit: options.limit ?? 101 }),
    isUnwanted: (nodeId) => members.has(nodeId),
  });
  /** Takes and settles until growth stops; gives whom it tried. */
  const drain = (outcome: 'joined' | 'refused' | 'unreachable' | ((nodeId: NodeId) => 'joined' | 'unreachable')) => {
    const tried: NodeId[] = [];
    for (;;) {
      const round: Attempt[] = [];
      for (let next = growth.next(); next !== undefined; next = growth.next()) round.push(next);
      if (round.length === 0) return tried;
      for (const attempt of round) {
        tried.push(attempt.nodeId);
        const result = typeof outcome === 'function' ? outcome(attempt.nodeId) : outcome;
        if (result === 'joined') {
          members.add(attempt.nodeId);
          state.used++;
        }
        growth.settled(attempt, result);
      }
    }
  };
  return { growth, state, drain, members };
}

test('the score is one over the reporters, and 0.3 more outside N3', (t) => {
  t.is(candidateScore(1, false), 1.3);
  t.is(candidateScore(1, true), 1);
  t.is(candidateScore(4, false), 0.55);
});

test('nothing is tried before a signal', (t) => {
  t.is(world().growth.next(), undefined);
});

test('a list makes the mesh grow to 90 %, the timer to the last slot and no further', (t) => {
  const { growth, drain, state } = world({ candidates: 150 });
  growth.learned();
  drain('joined');
  t.is(state.used, 91);
  growth.learned();
  t.deepEqual(drain('joined'), []);
  growth.tick();
  drain('joined');
  t.is(state.used, 101);
  growth.tick();
  t.deepEqual(drain('joined'), []);
});

test('never more is tried at once than there are slots free', (t) => {
  const { growth } = world({ used: 100 });
  growth.tick();
  t.truthy(growth.next());
  t.is(growth.next(), undefined);
});

test('ten dead candidates cost three dials, then there is silence until a new list', (t) => {
  const { growth, drain } = world({ candidates: 10 });
  growth.learned();
  t.is(drain('unreachable').length, FAILURES_MAX);
  growth.tick();
  t.deepEqual(drain('unreachable'), []);
  growth.learned();
  t.deepEqual(drain('unreachable'), ids.slice(3, 6));
});

test('an unreachable candidate is left alone for half an hour', (t) => {
  const { growth, drain, state } = world({ candidates: 1 });
  growth.request();
  t.is(drain('unreachable').length, 1);
  state.nowMs += 29 * 60_000;
  growth.request();
  t.is(drain('unreachable').length, 0);
  state.nowMs += 61_000;
  growth.request();
  t.is(drain('unreachable').length, 1);
});

test('in a full network growth knocks eight times, then waits for the timer', (t) => {
  const { growth, drain } = world();
  growth.learned();
  const knocked = drain('refused').length;
  t.true(knocked >= REFUSALS_MAX && knocked < REFUSALS_MAX + FAILURES_MAX);
  growth.learned();
  t.is(drain('refused').length, 0);
  growth.tick();
  t.true(drain('refused').length >= REFUSALS_MAX);
});

test('near its limit a node knocks at full ones less and less', (t) => {
  const { growth, drain, state } = world({ used: 95, candidates: 200 });
  const ticks: number[] = [];
  for (let tick = 0; tick < 40; tick++) {
    growth.tick();
    if (drain('refused').length > 0) ticks.push(tick);
    state.nowMs += 60_000;
  }
  t.deepEqual(ticks, [0, 2, 6, 14, 30]);
  growth.request();
  t.true(drain('joined').length > 0);
});

test('redirects in a circle end, and so does a chain of new names', (t) => {
  const { growth, state } = world({ candidates: 1 });
  growth.tick();
  let attempt = growth.next();
  const tried = [attempt?.nodeId];
  // Each names the next of three, and the last the first.
  for (let n = 1; attempt !== undefined && n < 20; n++) {
    const from = attempt.nodeId;
    const isTaken = growth.redirected({ nodeId: id(n % 3), addresses: [], from });
    growth.settled(attempt, 'refused');
    attempt = isTaken ? growth.next() : undefined;
    if (attempt !== undefined) tried.push(attempt.nodeId);
  }
  t.deepEqual(tried, [id(0), id(1), id(2)]);

  state.from = 50;
  state.candidates = 51;
  growth.tick();
  let count = 0;
  for (let next = growth.next(), n = 100; next !== undefined; next = growth.next(), n++) {
    count++;
    growth.redirected({ nodeId: id(n), addresses: [], from: next.nodeId });
    growth.settled(next, 'refused');
  }
  t.is(count, 1 + REDIRECTS_MAX);
});

test('one teller gets four leads in, all together sixty-four', (t) => {
  const { growth } = world();
  const taken = (from: number) =>
    ids.slice(0, 10).filter((nodeId) => growth.offer({ nodeId, addresses: [], from: id(from) })).length;
  t.is(taken(150), 4);
  t.is(taken(150), 0);
  t.is(taken(151), 4);
  const all = ids.slice(10, 190).filter((nodeId, n) => growth.offer({ nodeId, addresses: [], from: id(n) })).length;
  t.is(all, 64 - 8);
});

test('a liar whose ids lead nowhere is heard last, so that honest candidates are reached', (t) => {
  const liar = id(199);
  const { growth, drain, state } = world({
    candidates: 60,
    reporters: (n) => (n < 40 ? [liar] : [id(198)]),
  });
  const isReal = (nodeId: NodeId) => (ids.indexOf(nodeId) < 40 ? 'unreachable' : 'joined');
  growth.learned();
  t.deepEqual(drain(isReal), ids.slice(0, 3));
  growth.learned();
  drain(isReal);
  t.is(state.used, 20);
});

test('what growth leaves alone survives a swap', (t) => {
  const before = world({ candidates: 3 });
  before.growth.learned();
  before.drain('unreachable');
  const after = world({ candidates: 3 });
  after.growth.restore(before.growth.snapshot());
  after.growth.request();
  t.deepEqual(after.drain('joined'), []);
});

test('whom it was told to try, and how it met full nodes, outlives a swap', (t) => {
  const before = world({ candidates: 0 });
  before.growth.offer({ nodeId: id(1), addresses: ['8.8.8.8:53'], from: id(2) });
  before.growth.offer({ nodeId: id(3), addresses: ['8.8.4.4:53'], from: id(2) });
  before.growth.settled(before.growth.next() as Attempt, 'refused');
  before.growth.offer({ nodeId: id(4), addresses: ['8.8.8.8:54'], from: id(5) });
  before.growth.settled(before.growth.next() as Attempt, 'refused');
  t.true(before.growth.findsOnlyFull);

  const after = world({ candidates: 0 });
  after.growth.restore(before.growth.snapshot());
  t.true(after.growth.findsOnlyFull);
  t.like(after.growth.next(), {
    nodeId: id(4),
    why: 'offered',
    lead: { nodeId: id(4), addresses: ['8.8.8.8:54'], from: id(5) },
  });
});
