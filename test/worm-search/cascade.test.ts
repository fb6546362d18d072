import test from 'ava';
import { HONEST, stepOf, WormNet } from './world.ts';

const SOMEBODY = 'ab'.repeat(32);

test('KNOW-06: step 4 connects what is found, and says why when nothing is', async (t) => {
  const world = new WormNet(t);
  const [a, p, target] = await world.nodes(HONEST, 'a', 'p', 'target');
  await world.link(a, p);
  await world.link(p, target);
  t.deepEqual(await a.run('fake.step', { target: target.id }), { kind: 'connected' });
  t.true(a.connections(target).length > 0);
  t.deepEqual(await a.run('fake.step', { target: SOMEBODY }), {
    kind: 'nothing',
    reason: 'asked 1, and none knows it',
  });
});

test('what mesh knew within three hops and could not reach is searched for all the same', async (t) => {
  const world = new WormNet(t);
  const [a, p, target] = await world.nodes(HONEST, 'a', 'p', 'target');
  await world.link(a, p);
  await world.link(p, target);
  await world.know(a, { reach: { [target.id]: [p.id] } });
  t.deepEqual(await a.run('fake.step', { target: target.id }), { kind: 'connected' });
  t.true(a.connections(target).length > 0);
});

test('a search that mesh runs for a search starts no other', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  await world.link(a, p);
  t.like(await a.run('fake.step', { target: SOMEBODY, purpose: 'worm-search' }), { kind: 'nothing' });
  t.is(p.counters('worm-search')['queries-not-known'], undefined);
});

test('a referral without an address is reached by way of who gave it', async (t) => {
  const world = new WormNet(t);
  const [a, p, r, target] = await world.nodes(HONEST, 'a', 'p', 'r', 'target');
  await world.link(a, p);
  await world.link(r, target);
  await world.know(p, { n2: [r.id] });
  await world.know(a, { reach: { [r.id]: [p.id] }, chain: { [r.id]: [r.address] } });
  const found = await world.search(a, target.id);
  t.like(found, { found: true, holder: target.id });
  t.is(stepOf(found, 'nova')?.hits, 1);
});

test('who knows a node by its reporters asks them where it is, and answers in time when they do not', async (t) => {
  const world = new WormNet(t);
  const [a, p, q, target] = await world.nodes(HONEST, 'a', 'p', 'q', 'target');
  await world.link(a, p);
  await world.link(p, q);
  await world.link(q, target);
  await world.know(p, { reach: { [target.id]: [q.id], [SOMEBODY]: [q.id] }, chain: { [target.id]: [target.address] } });
  const found = await world.search(a, target.id);
  t.like(found, { found: true, addresses: [target.address], via: [q.id, p.id] });
  const named = await world.search(a, SOMEBODY);
  t.like(named, { found: false });
  t.like(stepOf(named, 'burst'), { answered: 1, hits: 1 });
});
