import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import type { LookupStep } from '../../plugins/lookup/api.ts';
import { LOCATING_MAX } from '../../plugins/lookup/address-service.ts';
import { RUNS_MAX } from '../../plugins/lookup/peer-lookup.ts';
import { nodeIds } from '../routing/ids.ts';
import { Neighbourhood } from '../routing/neighbourhood.ts';
import type { Neighbour } from '../routing/neighbourhood.ts';

const MINUTE_MS = 60_000;

/** a - b - c - d, each knowing three hops. */
async function chain() {
  const net = new Neighbourhood();
  const [a, b, c, d] = [net.add('a'), net.add('b'), net.add('c'), net.add('d')];
  await net.join(a, b);
  await net.join(b, c);
  await net.join(c, d);
  await net.run(4 * MINUTE_MS);
  net.sent.length = 0;
  return { net, a, b, c, d };
}

const find = (net: Neighbourhood, from: Neighbour, target: NodeId, options: object = {}) =>
  net.clock.until(from.lookup.connect(target, { purpose: 'test', ...options }).then(() => from.links.get(target)));

const results = (from: Neighbour, target: NodeId) =>
  from.lookup.history
    .get(target)
    .at(-1)
    ?.steps.map(({ step, result }) => [step, result]);

test('a connected node is given without any step', async (t) => {
  const { net, a, b } = await chain();
  t.is(await find(net, a, b.id), b);
  t.is(net.sent.length, 0);
  t.deepEqual(a.lookup.history.get(b.id), []);
});

test('step 1: a stored address is dialled before anybody is asked', async (t) => {
  const { net, a, c } = await chain();
  a.book.set(c.id, [c.addr]);
  t.is(await find(net, a, c.id), c);
  t.is(net.questions().length, 0);
  t.deepEqual(results(a, c.id), [['peers-table', 'connected']]);
});

test('step 2: the reporter of N2 tells the address', async (t) => {
  const { net, a, b, c } = await chain();
  t.is(await find(net, a, c.id), c);
  t.deepEqual(
    net.questions().map(({ from, to, body }) => [from, to, body]),
    [[a.id, b.id, { target: c.id, hops: 0 }]],
  );
  t.deepEqual(results(a, c.id)?.at(-1), ['ask-n2-reporter', 'connected']);
});

test('step 3: two hops along the chain of reporters, never more', async (t) => {
  const { net, a, b, c, d } = await chain();
  t.is(await find(net, a, d.id), d);
  t.deepEqual(
    net.questions().map(({ from, to, body }) => [from, to, body]),
    [
      [a.id, b.id, { target: d.id, hops: 1 }],
      [b.id, c.id, { target: d.id, hops: 0 }],
    ],
  );
  t.deepEqual(results(a, d.id), [
    ['peers-table', 'nothing'],
    ['ask-n2-reporter', 'nothing'],
    ['ask-n3-chain', 'connected'],
  ]);
});

/** a - b - c - d, and e with its preferred peer d beyond the sight of a. */
async function preferredPeerInSight() {
  const { net, a, b, c, d } = await chain();
  const e = net.add('e');
  await net.join(d, e);
  await net.run(4 * MINUTE_MS);
  net.sent.length = 0;
  const offer = (nodes: readonly NodeId[]) =>
    a.offer('preferred-peers', { limitMs: 1_000, find: async () => ({ kind: 'through', nodes }) });
  return { net, a, b, c, d, e, offer };
}

test('one preferred peer in sight is enough to find a node within one further hop (NPT-07)', async (t) => {
  const { net, a, d, e, offer } = await preferredPeerInSight();
  t.is(a.knowledge.layerOf(e.id), 'none');
  await t.throwsAsync(find(net, a, e.id), { code: 'resolve/unreachable' });
  offer([...nodeIds('out of sight', 9), d.id]);
  net.sent.length = 0;
  t.is(await find(net, a, e.id), e);
  t.deepEqual(results(a, e.id)?.at(-1), ['preferred-peers', 'connected']);
  t.deepEqual(
    net
      .questions()
      .filter(({ body }) => (body as { target: string }).target === e.id)
      .map(({ from, to, body }) => [from, to, body]),
    [[a.id, d.id, { target: e.id, hops: 0 }]],
  );
});

test('a node connected only to be asked gets no mesh slot, and is left when the search is over', async (t) => {
  const { net, a, d, e, offer } = await preferredPeerInSight();
  offer([d.id]);
  await find(net, a, e.id, { purpose: 'growth' });
  t.deepEqual(
    net.dials.map(({ address }) => address),
    [d.addr, e.addr],
  );
  t.deepEqual(net.sessions, [d.addr]);
  t.false(a.links.has(d.id));
  t.is(a.links.get(e.id), e);
});

test('a node that was asked stays when somebody has wanted it meanwhile', async (t) => {
  const { net, a, d, e, offer } = await preferredPeerInSight();
  offer([d.id]);
  let other: Promise<unknown> | undefined;
  net.loses = ({ body }) => {
    if ((body as { target?: string }).target === e.id) other = a.lookup.connect(d.id, { purpose: 'another' });
    return false;
  };
  await find(net, a, e.id);
  await other;
  t.true(a.links.has(d.id));
});

test('preferred peers that are no help are no more than three, and keep their standing', async (t) => {
  const { net, a, b, c, d, offer } = await preferredPeerInSight();
  const [stranger] = nodeIds('stranger', 1) as [NodeId];
  const further = net.add('further');
  a.book.set(further.id, [further.addr]);
  offer([further.id, d.id, c.id, b.id, a.id, stranger]);
  await t.throwsAsync(find(net, a, stranger), { code: 'resolve/unreachable' });
  const asked = net.questions().filter(({ from, body }) => {
    return from === a.id && (body as { target: string }).target === stranger;
  });
  t.deepEqual(
    asked.map(({ to }) => to),
    [b.id, c.id, d.id],
  );
  t.is(a.counters.read()['reporters-judged.refuted'], undefined);
  const last = a.lookup.history
    .get(stranger)
    .at(-1)
    ?.steps.find(({ step }) => step === 'preferred-peers');
  t.like(last, { result: 'nothing' });
});

test('where a node is can be asked without going there, of what lies within three hops', async (t) => {
  const { net, a, c, d } = await chain();
  const e = net.add('e');
  await net.join(d, e);
  const { signal } = new AbortController();
  const locate = (target: NodeId) => net.clock.until(a.addresses.locate(target, signal));
  t.deepEqual(await locate(c.id), [c.addr]);
  t.deepEqual(await locate(d.id), [d.addr]);
  t.deepEqual(await locate(e.id), []);
  t.deepEqual(net.dials, []);
  c.lie = () => ({ known: true, addresses: ['10.0.0.1:22', '127.0.0.1:4433'] });
  t.deepEqual(await locate(d.id), []);
});

test('no more than the cap of nodes are located at once', async (t) => {
  const { net, a, c } = await chain();
  const { signal } = new AbortController();
  const all = await net.clock.until(
    Promise.all(Array.from({ length: LOCATING_MAX + 3 }, () => a.addresses.locate(c.id, signal))),
  );
  t.is(all.filter((addresses) => addresses.length === 0).length, 3);
});

test('what nobody knows is unreachable after every step, each with its reason and its time', async (t) => {
  const { net, a } = await chain();
  const [stranger] = nodeIds('stranger', 1) as [NodeId];
  const names: string[] = [];
  const step = (name: string, tookMs: number): LookupStep => ({
    limitMs: 3_000,
    find: async (_target, { signal }) => {
      names.push(name);
      await net.clock.sleep(tookMs, signal);
      return { kind: 'nothing', reason: 'it is nowhere' };
    },
  });
  a.offer('worm-search', step('worm-search', 5_000));
  a.offer('introduction', step('introduction', 200));
  a.offer('social-cache', step('social-cache', 0));
  await t.throwsAsync(find(net, a, stranger), { code: 'resolve/unreachable' });
  t.deepEqual(names, ['social-cache', 'worm-search', 'introduction']);
  const run = a.lookup.history.get(stranger).at(-1);
  t.deepEqual(
    run?.steps.map(({ step }) => step),
    ['social-cache', 'peers-table', 'ask-n2-reporter', 'ask-n3-chain', 'worm-search', 'introduction'],
  );
  const { steps = [] } = run ?? {};
  const tried = (name: string) => steps.find(({ step }) => step === name);
  t.like(tried('worm-search'), { result: 'nothing', took_ms: 3_000, reason: 'no answer within 3000 ms' });
  t.like(tried('introduction'), { result: 'nothing', took_ms: 200, reason: 'it is nowhere' });
  t.like(run, { purpose: 'test', result: 'unreachable', took_ms: 3_200 });
});

test('only the steps that are asked for are tried', async (t) => {
  const { net, a, d } = await chain();
  await t.throwsAsync(find(net, a, d.id, { steps: ['peers-table', 'ask-n2-reporter'] }), {
    code: 'resolve/unreachable',
  });
  t.deepEqual(results(a, d.id), [
    ['peers-table', 'nothing'],
    ['ask-n2-reporter', 'nothing'],
  ]);
});

test('a step that throws, and one that never ends, do not hold up the next', async (t) => {
  const { net, a, d } = await chain();
  a.offer('social-cache', {
    limitMs: 1_000,
    find: () => Promise.reject(new Error('broken')),
  });
  const undo = a.offer('worm-search', { limitMs: 1_000, find: () => new Promise(() => {}) });
  t.is(await find(net, a, d.id), d);
  undo();
  const [stranger] = nodeIds('stranger', 1) as [NodeId];
  await t.throwsAsync(find(net, a, stranger), { code: 'resolve/unreachable' });
  t.false(
    a.lookup.history
      .get(stranger)
      .at(-1)
      ?.steps.some(({ step }) => step === 'worm-search'),
  );
});

test('a step that connects the node itself ends the search', async (t) => {
  const { net, a } = await chain();
  const x = net.add('x');
  a.offer('introduction', {
    limitMs: 15_000,
    find: async () => {
      await net.join(a, x);
      return { kind: 'connected' };
    },
  });
  t.is(await find(net, a, x.id), x);
  t.is(a.lookup.history.get(x.id).at(-1)?.result, 'introduction');
});

test('two that look for the same node share one search, and one may give up', async (t) => {
  const { net, a, d } = await chain();
  const giveUp = new AbortController();
  const first = a.lookup.connect(d.id, { purpose: 'one', signal: giveUp.signal });
  const second = a.lookup.connect(d.id, { purpose: 'two' });
  giveUp.abort(new Error('enough'));
  await t.throwsAsync(first, { message: 'enough' });
  await net.clock.until(second);
  t.is(a.links.get(d.id), d);
  t.is(a.lookup.history.get(d.id).length, 1);
});

test('a search went on for up to 90 s after everybody who asked had given up', async (t) => {
  const { a } = await chain();
  const signals: AbortSignal[] = [];
  a.offer('worm-search', {
    limitMs: 30_000,
    find: (_target, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const [stranger] = nodeIds('stranger', 1) as [NodeId];
  const one = new AbortController();
  const two = new AbortController();
  const searches = [one, two].map(({ signal }) => a.lookup.connect(stranger, { purpose: 'test', signal }));
  const ended = Promise.allSettled(searches);
  while (signals.length === 0) await new Promise(setImmediate);
  one.abort(new Error('enough'));
  await t.throwsAsync(async () => searches[0], { message: 'enough' });
  t.false(signals[0]?.aborted);
  two.abort(new Error('enough'));
  await ended;
  t.true(signals[0]?.aborted);
  t.is(a.lookup.running, 0);
  await new Promise(setImmediate);
  t.like(a.lookup.history.get(stranger).at(-1), { result: 'gave-up' });
  void a.lookup.connect(stranger, { purpose: 'again' }).catch(() => {});
  while (signals.length === 1) await new Promise(setImmediate);
  t.false(signals[1]?.aborted, 'who comes later has a search of its own');
});

test('no more than the cap of searches run at once', async (t) => {
  const { net, a } = await chain();
  a.offer('worm-search', { limitMs: 3_000, find: () => new Promise(() => {}) });
  const ids = nodeIds('strangers', RUNS_MAX + 1);
  const runs = ids.map((id) =>
    a.lookup.connect(id, { purpose: 'flood' }).catch((error: { code: string }) => error.code),
  );
  t.is(await runs.at(-1), 'resolve/busy');
  t.is((await net.clock.until(Promise.all(runs)))[0], 'resolve/unreachable');
  t.is(a.lookup.running, 0);
});

test('whom the user disconnected is not looked for', async (t) => {
  const { net, a, c } = await chain();
  a.heldOff.add(c.id);
  await t.throwsAsync(find(net, a, c.id), { code: 'resolve/held-off' });
  t.is(net.sent.length, 0);
});
