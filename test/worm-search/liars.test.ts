import test from 'ava';
import type { SyncPost } from '../../plugins/content/api.ts';
import { FAILURES_PER_SITE } from '../../plugins/peers/dial-budget.ts';
import { signedPost, testIdentity } from '../content/world.ts';
import { WORM_COOLDOWN_MS } from '../../plugins/worm-search/cooldown.ts';
import { FORGER, HONEST, LIAR, stepOf, WITH_BLOBS, WITH_CONTENT, WormNet } from './world.ts';

const SOMEBODY = 'ab'.repeat(32);
const query = (searchId: number, more: object = {}): object => ({
  search_id: searchId.toString(16).padStart(32, '0'),
  needles: [SOMEBODY],
  ttl: 0,
  ...more,
});

test('somebody else at the address of a target is not the target', async (t) => {
  const world = new WormNet(t);
  const [a, p, target, impostor] = await world.nodes(HONEST, 'a', 'p', 'target', 'impostor');
  const [liar] = await world.nodes(LIAR, 'liar');
  await world.link(a, liar, p);
  await world.link(p, target);
  await world.say(liar, { node: { id: target.id, addresses: [impostor.address], via: [] } });
  const found = await world.search(a, target.id);
  t.like(found, { found: true, holder: target.id, addresses: [target.address] });
});

test('a holder that does not hold is refuted by fetching, and the true one is found', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(WITH_BLOBS, 'a', 'p');
  const [liar, other] = await world.nodes(LIAR, 'liar', 'other');
  await world.link(a, liar, p);
  await p.run('shelf.put', { id: SOMEBODY });
  await world.say(liar, {
    blob_holder: { id: liar.id, addresses: [liar.address], via: [] },
    more: [{ kind: 'blob', holder: { id: other.id, addresses: [other.address], via: [] } }],
  });
  t.like(await world.search(a, SOMEBODY, 'blob'), { found: true, holder: p.id });
});

test('a forged post is not the post', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(WITH_CONTENT, 'a', 'p');
  const [liar] = await world.nodes(LIAR, 'liar');
  await world.link(a, liar, p);
  const { id } = await p.run<{ id: string }>('post.create', { text: 'mine' });
  await world.say(liar, { post_holder: { id: liar.id, addresses: [liar.address], via: [] } });
  t.like(await world.search(a, id, 'post'), { found: true, holder: p.id });
  await p.run('post.delete', { id });
  await world.net.advance(1_000);
  const missed = await world.search(a, id, 'post');
  t.like(missed, { found: false });
  t.like(stepOf(missed, 'verify'), { asked: 1, hits: 0 });
});

test('a post with another person’s signature is not found at who holds it', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(WITH_CONTENT, 'a');
  const [forger] = await world.nodes(FORGER, 'forger');
  await world.link(a, forger);
  const [genuine, { signature }] = ['anna', 'mallory'].map((name) =>
    signedPost(testIdentity(name), 'hello', world.net.clock.now()),
  ) as [SyncPost, SyncPost];
  const search = async (post: SyncPost): Promise<boolean> => {
    await forger.run('forger.hold', { post });
    await world.say(forger, { post_holder: { id: forger.id, addresses: [forger.address], via: [] } });
    return (await world.search(a, post.id, 'post')).found;
  };
  t.false(await search({ ...genuine, signature }));
  t.is(a.counters('content')['fetched-post-refused:forged'], 1);
  await world.net.clock.advance(WORM_COOLDOWN_MS);
  t.true(await search(genuine), 'what its author signed is found there');
});

test('what was not asked for is not taken', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  const [liar] = await world.nodes(LIAR, 'liar');
  await world.link(a, liar);
  await world.say(liar, {
    node: { id: liar.id, addresses: [liar.address], via: [] },
    post_holder: { id: liar.id, addresses: [liar.address], via: [] },
  });
  const missed = await world.search(a, SOMEBODY);
  t.like(missed, { found: false, cost: { dials: 0 } });
  t.is(stepOf(missed, 'verify'), undefined);
});

test('addresses of a narrower scope than their teller are never dialled', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  const [liar] = await world.nodes(LIAR, 'liar');
  await world.link(a, liar);
  const before = world.net.dials.length;
  const addresses = ['127.0.0.1:22', '10.0.0.1:80', '224.0.0.1:4433', '0.0.0.0:4433'];
  await world.say(liar, {
    node: { id: SOMEBODY, addresses, via: [] },
    referral: { id: 'cd'.repeat(32), addresses },
  });
  t.false((await world.search(a, SOMEBODY)).found);
  t.is(world.net.dials.length, before);
});

test('referrals to oneself, to peers or to the same node over and over lead nowhere', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const liars = await world.nodes(LIAR, 'l1', 'l2', 'l3', 'l4');
  const [l1, l2, l3, l4] = liars;
  await world.link(a, p, ...liars);
  await world.say(l1, { referral: { id: a.id, addresses: [a.address] } });
  await world.say(l2, { referral: { id: p.id, addresses: [p.address] } });
  for (const liar of [l3, l4]) {
    await world.say(liar, { referral: { id: SOMEBODY, addresses: ['5.6.7.250:4433'] } });
  }
  const before = world.net.dials.length;
  const missed = await world.search(a, 'cd'.repeat(32));
  t.false(missed.found);
  t.is(stepOf(missed, 'nova')?.asked, 1);
  t.is(world.net.dials.length, before + 1);
});

test('liars cannot have a stranger hammered', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  const liars = await world.nodes(LIAR, 'l1', 'l2', 'l3', 'l4', 'l5', 'l6');
  await world.link(a, ...liars);
  const before = world.net.dials.length;
  for (const [index, liar] of liars.entries()) {
    const at = (port: number): object => ({ id: SOMEBODY, addresses: [`5.6.7.250:${port + index}`], via: [] });
    await world.say(liar, {
      node: at(1_000),
      more: [2_000, 3_000, 4_000].map((port) => ({ kind: 'node', holder: at(port) })),
      referral: { id: (index + 16).toString(16).repeat(32), addresses: [`5.6.7.250:${9_000 + index}`] },
    });
  }
  t.false((await world.search(a, SOMEBODY)).found);
  const dials = () => world.net.dials.slice(before).flatMap(({ to }) => to.split(',')).length;
  t.is(dials(), FAILURES_PER_SITE);
  // What one search has spent, the next one has not.
  for (const at of ['01', '02', '03']) t.false((await world.search(a, at.repeat(32))).found);
  t.is(dials(), FAILURES_PER_SITE);
});

test('queries over the budget are refused, and others are still answered', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const [flooder] = await world.nodes(LIAR, 'flooder');
  await world.link(a, flooder, p);
  const queries = Array.from({ length: 400 }, (_, index) => query(index));
  const answers = await flooder.run<unknown[]>('liar.ask', { to: a.id, queries });
  const refused = answers.filter((answer) => answer === 'wire/rate-limited').length;
  t.true(refused >= 400 - 120 - 40, `${refused} of 400`);
  t.true((a.counters('worm-search')['queries-not-known'] ?? 0) <= 160);
  t.false((await world.search(p, SOMEBODY)).found);
  t.is(a.counters('worm-search')['queries-seen-before'], undefined);
});

test('a node buys a few relays and no more', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const [flooder] = await world.nodes(LIAR, 'flooder');
  await world.link(a, flooder, p);
  const queries = Array.from({ length: 20 }, (_, index) => query(index, { ttl: 1 }));
  const answers = await flooder.run<unknown[]>('liar.ask', { to: a.id, queries });
  t.is(answers.filter((answer) => typeof answer === 'object').length, 20);
  t.like(a.counters('worm-search'), { relays: 3, 'relays-refused': 17 });
  t.is(p.counters('worm-search')['queries-not-known'], 3);
  await world.net.advance(11_000);
  await flooder.run('liar.ask', { to: a.id, queries: [query(99, { ttl: 1 }), query(100, { ttl: 1 })] });
  t.is(a.counters('worm-search').relays, 4);
});

test('the same search comes back to its handler in vain', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const [flooder] = await world.nodes(LIAR, 'flooder');
  await world.link(a, flooder, p);
  await world.know(a, { reach: { [SOMEBODY]: [p.id] } });
  const answers = await flooder.run<object[]>('liar.ask', { to: a.id, queries: [query(1), query(1), query(1)] });
  t.is(answers.filter((answer) => 'node' in answer).length, 1);
  t.is(a.counters('worm-search')['queries-seen-before'], 2);
  await world.net.advance(10_000);
  const [later] = await flooder.run<object[]>('liar.ask', { to: a.id, queries: [query(1)] });
  t.true('node' in (later as object));
});

test('a ttl of 2, twelve needles and an id of the wrong length are not sent, let alone understood', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  const [flooder] = await world.nodes(LIAR, 'flooder');
  await world.link(a, flooder);
  const bad = [query(1, { ttl: 2 }), query(2, { needles: Array(12).fill(SOMEBODY) }), query(3, { post_id: 'ab' })];
  t.deepEqual(await flooder.run('liar.ask', { to: a.id, queries: bad }), Array(3).fill('wire/bad-body'));
});
