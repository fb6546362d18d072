import test from 'ava';
import type { NodeId } from '../../kernel/index.ts';
import { PASSING_ON_MAX } from '../../plugins/lookup/address-service.ts';
import { FAILURES_PER_ADDRESS } from '../../plugins/peers/dial-budget.ts';
import { nodeIds } from '../routing/ids.ts';
import { Neighbourhood } from '../routing/neighbourhood.ts';
import type { Neighbour } from '../routing/neighbourhood.ts';

/** `a` between an honest peer, which has `far` as its own, and a liar with an N1 of its choice. */
async function withLiar(invented: readonly NodeId[]) {
  const net = new Neighbourhood();
  const [a, honest, liar, far] = [net.add('a'), net.add('honest'), net.add('liar'), net.add('far')];
  liar.shareN1(() => invented);
  await net.join(a, honest);
  await net.join(honest, far);
  await net.join(a, liar);
  await net.run(240_000);
  return { net, a, honest, liar, far };
}

const look = (net: Neighbourhood, from: Neighbour, target: NodeId) =>
  net.clock.until(
    from.lookup.connect(target, { purpose: 'growth' }).then(
      () => 'found',
      (error) => error.code,
    ),
  );

const heldOf = (from: Neighbour, ids: readonly NodeId[]): number =>
  ids.filter((id) => from.knowledge.layerOf(id) !== 'none').length;

test('addresses that point at private, loopback, multicast or unspecified places are never dialled', async (t) => {
  const invented = nodeIds('invented', 4);
  const { net, a, liar } = await withLiar(invented);
  const places = ['192.168.1.1:80', '10.0.0.1:22', '127.0.0.1:4433', '[::1]:4433', '224.0.0.1:53', '0.0.0.0:1'];
  liar.lie = () => ({ known: true, addresses: [...places, 'localhost:4433', 'victim.example:443'] });
  t.is(await look(net, a, invented[0] as NodeId), 'resolve/unreachable');
  t.deepEqual(net.dials, []);
  t.is(a.counters.read()['reporters-judged.refuted'], 1);
  t.regex(a.lookup.history.get(invented[0] as NodeId)[0]?.steps[1]?.reason ?? '', /must not be dialled/);
});

test('a liar cannot have one stranger dialled more than a few times', async (t) => {
  const invented = nodeIds('invented', 40);
  const { net, a, liar } = await withLiar(invented);
  liar.lie = () => ({ known: true, addresses: ['203.0.113.200:443'] });
  for (const id of invented) await look(net, a, id);
  // Its 40 searches take ten minutes, so the window begins again once.
  t.true(net.dials.length <= 2 * FAILURES_PER_ADDRESS, `${net.dials.length} dials`);
});

test('who does not know what it reported loses half of its budget each time, and nobody else loses any', async (t) => {
  const invented = nodeIds('invented', 1_000);
  const { net, a, liar, honest, far } = await withLiar(invented);
  t.is(heldOf(a, invented), 1_000);
  liar.lie = () => ({ known: false, addresses: [] });
  for (let round = 0; round < 6; round++) {
    await look(net, a, invented.find((id) => a.knowledge.layerOf(id) !== 'none') as NodeId);
  }
  t.true(heldOf(a, invented) <= 2_048 / 2 ** 6 + 1, `${heldOf(a, invented)} left`);
  t.deepEqual(a.knowledge.reach(far.id).n2Reporters, [honest.id]);
  t.is(await look(net, a, far.id), 'found');
});

test('who is asked about what it never reported is not judged by its answer; who reported it is', async (t) => {
  const { net, a, honest, far } = await withLiar([]);
  const further = net.add('further');
  await net.join(far, further);
  await net.run(240_000);
  const judged = () => a.counters.read()['reporters-judged.not-reached'] ?? 0;
  const [unknown] = nodeIds('unknown', 1) as [NodeId];
  a.offer('profile-anchors', { limitMs: 1_000, find: async () => ({ kind: 'ask', peers: [honest.id] }) });
  t.is(await look(net, a, unknown), 'resolve/unreachable');
  t.is(judged(), 0);
  t.deepEqual(a.knowledge.reach(further.id).n3Reporters, [honest.id]);
  honest.lie = () => ({ known: false, addresses: [] });
  t.is(await look(net, a, further.id), 'resolve/unreachable');
  t.true(judged() > 0);
});

test('dials in vain cost the one that told the address', async (t) => {
  const invented = nodeIds('invented', 2_000);
  const { net, a, liar, far } = await withLiar(invented);
  let port = 1;
  liar.lie = () => ({ known: true, addresses: [`203.0.113.${100 + (port % 100)}:${port++}`] });
  for (const id of invented.slice(0, 30)) await look(net, a, id);
  t.true(heldOf(a, invented) < 1_400, `${heldOf(a, invented)} left`);
  t.is(await look(net, a, far.id), 'found');
});

test('an answer about a LAN address goes only to who is seen in that LAN', async (t) => {
  const net = new Neighbourhood();
  const a = net.add('a', { addr: '192.168.1.5:4433' });
  const b = net.add('b', { addr: '192.168.1.6:4433' });
  const outside = net.add('outside');
  const hub = net.add('hub', { addr: '192.168.1.1:4433' });
  for (const node of [a, b, outside]) await net.join(hub, node);
  await net.run(240_000);
  t.is(await look(net, a, b.id), 'found');
  t.is(await look(net, outside, b.id), 'resolve/unreachable');
  const { signal } = new AbortController();
  const question = { target: b.id, hops: 0 } as const;
  t.deepEqual(await hub.addresses.answer(question, { peer: outside.peer, signal }), { known: true, addresses: [] });
});

test('addresses are told of our own N1 alone, whatever else is known', async (t) => {
  const { net, a, honest, far } = await withLiar([]);
  const [stored] = nodeIds('stored', 1) as [NodeId];
  honest.book.set(stored, ['203.0.113.9:4433']);
  const { signal } = new AbortController();
  const ask = (target: NodeId, hops: 0 | 1) => honest.addresses.answer({ target, hops }, { peer: a.peer, signal });
  t.deepEqual(await net.clock.until(ask(stored, 1)), { known: false, addresses: [] });
  t.deepEqual(await net.clock.until(ask(far.id, 0)), { known: true, addresses: [far.addr] });
});

test('a question is not passed back to who asked it, and two who report each other make no circle', async (t) => {
  const { net, a, honest } = await withLiar([]);
  const [ghost] = nodeIds('ghost', 1) as [NodeId];
  const undo = a.shareN1(() => [ghost]);
  honest.shareN1(() => [ghost]);
  await net.run(240_000);
  undo();
  net.sent.length = 0;
  await look(net, a, ghost);
  t.true(net.questions().length <= 3, `${net.questions().length} questions`);
  t.true(net.questions().every(({ to }) => to !== a.id));
});

test('questions to pass on beyond the cap are answered at once', async (t) => {
  const net = new Neighbourhood();
  const [hub, far, asker] = [net.add('hub'), net.add('far'), net.add('asker')];
  const ids = nodeIds('contacts', 100);
  far.shareN1(() => ids);
  await net.join(hub, far);
  await net.join(hub, asker);
  await net.run(240_000);
  net.sent.length = 0;
  const { signal } = new AbortController();
  const answers = ids.map((target) => hub.addresses.answer({ target, hops: 1 }, { peer: asker.peer, signal }));
  t.is(net.questions().length, PASSING_ON_MAX);
  await net.clock.until(Promise.all(answers));
  t.is(hub.counters.read()['address-requests-not-passed-on'], 100 - PASSING_ON_MAX);
});

test('of a teller who is not connected only public addresses are dialled', async (t) => {
  const { net, a, far } = await withLiar([]);
  const [absent] = nodeIds('absent', 1) as [NodeId];
  a.offer('social-cache', {
    limitMs: 1_000,
    find: async () => ({ kind: 'addresses', addresses: ['192.168.1.9:4433', far.addr], toldBy: absent }),
  });
  t.is(await look(net, a, far.id), 'found');
  t.deepEqual(net.dials, [{ from: a.id, address: far.addr }]);
  t.is(a.lookup.history.get(far.id)[0]?.result, 'social-cache');
});
