import test from 'ava';
import { HONEST, LIAR, stepOf, WITH_BLOBS, WITH_CONTENT, WormNet } from './world.ts';

const SOMEBODY = 'ab'.repeat(32);

test('WORM-02: what is connected or within three hops is known without a frame', async (t) => {
  const world = new WormNet(t);
  const [a, b] = await world.nodes(HONEST, 'a', 'b');
  await world.link(a, b);
  await world.know(a, { reach: { [SOMEBODY]: [b.id] } });
  t.like(await world.search(a, b.id), {
    found: true,
    local: true,
    holder: b.id,
    cost: { relay_hops: 0, messages: 0, dials: 0 },
  });
  t.like(await world.search(a, SOMEBODY), { found: true, local: true, via: [b.id, a.id] });
  t.is(b.counters('worm-search')['queries-not-known'], undefined);
});

test('WORM-01, -03: the burst goes to every mesh peer and finds the target or one of its preferred peers', async (t) => {
  const world = new WormNet(t);
  const [a, p, q, target] = await world.nodes(HONEST, 'a', 'p', 'q', 'target');
  await world.link(a, p, q);
  await world.link(p, target);
  const found = await world.search(a, target.id);
  t.like(found, { found: true, local: false, holder: target.id, addresses: [target.address], via: [p.id] });
  t.is(stepOf(found, 'burst')?.asked, 2);
  t.is(stepOf(found, 'verify')?.hits, 1);
  t.true(found.took_ms < 500, `${found.took_ms} ms`);
  t.is(found.cost.relay_hops, 2);
  t.true(a.connections(target).length > 0, 'the node found is connected');
});

test('WORM-04: referred nodes ask their own mesh, no further, and are hung up on', async (t) => {
  const world = new WormNet(t);
  const [a, p, r, q, target] = await world.nodes(HONEST, 'a', 'p', 'r', 'q', 'target');
  await world.link(a, p);
  await world.link(r, q);
  await world.link(q, target);
  await world.refer(p, r);
  // Were it asked with ttl 1, it would refer too.
  await world.refer(q, p);
  const found = await world.search(a, target.id);
  t.like(found, { found: true, holder: target.id, cost: { relay_hops: 2, messages: 3 } });
  t.like(stepOf(found, 'nova'), { asked: 1, hits: 1 });
  t.is(r.counters('worm-search').relays, 1);
  t.is(q.counters('worm-search').relays, undefined);
  t.is(p.counters('worm-search').relays, undefined);
  t.is(a.connections(r).length, 0);
});

test('a referred node whose dial was called off is dialled again by the next searches', async (t) => {
  const world = new WormNet(t);
  const [a, p1, p2, r, q, slow] = await world.nodes(HONEST, 'a', 'p1', 'p2', 'r', 'q', 'slow');
  const targets = await world.nodes(HONEST, 't1', 't2', 't3', 't4');
  await world.link(a, p1, p2);
  await world.link(r, q);
  await world.link(q, ...targets);
  await world.refer(p1, slow);
  await world.refer(p2, r);
  world.net.memory.vanish(slow.host);
  for (const target of targets) {
    t.like(await world.search(a, target.id), { found: true, holder: target.id });
    // Those asked help one asker only so often.
    await world.net.advance(30_000);
  }
  t.is(world.net.dials.filter(({ from, to }) => from === a.id && to === slow.host).length, targets.length);
  t.is(a.counters('worm-search')['told-dials-over-budget'], undefined);
});

test('WORM-05: whoever never answers, or lies at the last moment, costs three seconds at most', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const [slow, slower] = await world.nodes(LIAR, 'slow', 'slower');
  await world.link(a, p, slow);
  await world.refer(p, slower);
  await world.say(slow, 'never');
  await world.say(slower, 'never');
  const missed = await world.search(a, SOMEBODY);
  t.like(missed, { found: false, holder: null });
  t.is(missed.took_ms, 2_000);
  t.is(stepOf(missed, 'burst')?.took_ms, 500);
  t.is(stepOf(missed, 'nova')?.took_ms, 1_500);

  // A claim that comes at the last moment and leads nowhere is given up with the whole search.
  const other = 'cd'.repeat(32);
  await world.say(slower, { node: { id: other, addresses: ['5.6.7.250:4433'], via: [] } }, 1_200);
  const hung = await world.search(a, other);
  t.like(hung, { found: false, took_ms: 3_000 });
  t.like(stepOf(hung, 'verify'), { asked: 1, answered: 0 });
});

test('WORM-07, -08: content known only by a record of who holds it is found and proven', async (t) => {
  const world = new WormNet(t);
  const [a, p, holder] = await world.nodes(WITH_BLOBS, 'a', 'p', 'holder');
  await world.link(a, p);
  await world.know(p, { addresses: { [holder.id]: [holder.address] } });
  await p.run('shelf.put', { id: SOMEBODY, holders: [holder.id] });
  await holder.run('shelf.put', { id: SOMEBODY });
  const found = await world.search(a, SOMEBODY, 'blob');
  t.like(found, { found: true, holder: holder.id, addresses: [holder.address] });
});

test('WORM-11: a post of somebody nobody here follows is found, fetched alone and not stored', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(WITH_CONTENT, 'a', 'p');
  await world.link(a, p);
  const { id } = await p.run<{ id: string }>('post.create', { text: 'so here it is' });
  const found = await world.search(a, id, 'post');
  t.like(found, { found: true, local: false, holder: p.id, cost: { relay_hops: 1, dials: 0 } });
  await t.throwsAsync(a.run('post.show', { id }), { code: 'content/no-such-post' });
  t.like(await world.search(p, id, 'post'), { found: true, local: true, holder: p.id });
});

test('WORM-09: in a circle of nodes each handles a search once', async (t) => {
  const world = new WormNet(t);
  const [a, b, c, d] = await world.nodes(HONEST, 'a', 'b', 'c', 'd');
  await world.link(a, b, c);
  await world.link(b, c, d);
  await world.link(c, d);
  for (const node of [b, c]) await world.refer(node, d);
  const missed = await world.search(a, SOMEBODY);
  t.like(missed, { found: false, cost: { relay_hops: 3 } });
  for (const node of [b, c, d]) {
    t.is(node.counters('worm-search')['queries-not-known'], 1);
  }
  t.is(d.counters('worm-search').relays, 1);
  t.is(b.counters('worm-search')['queries-seen-before'], 1);
});

test('WORM-10, DB-23: a miss is not repeated within five minutes, nor after a restart', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  await world.link(a, p);
  t.false((await world.search(a, SOMEBODY)).found);
  await t.throwsAsync(world.search(a, SOMEBODY), { code: 'worm-search/cooling-down' });
  await world.net.restart(a);
  await world.link(a, p);
  await t.throwsAsync(world.search(a, SOMEBODY), { code: 'worm-search/cooling-down' });
  await world.net.advance(300_000);
  t.false((await world.search(a, SOMEBODY)).found);
  t.is(p.counters('worm-search')['queries-not-known'], 2);
});

test('a search that could ask nobody is no miss', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  t.false((await world.search(a, SOMEBODY)).found);
  t.false((await world.search(a, SOMEBODY)).found);
});

test('who looks for the same thing shares one search, and leaving it does not disturb the others', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  const [slow] = await world.nodes(LIAR, 'slow');
  await world.link(a, p, slow);
  await world.say(slow, 'never');
  const search = (id: string, signal = new AbortController().signal): Promise<unknown> =>
    a.kernel.host.run('search', { id }, { signal, progress() {} });
  const leaving = new AbortController();
  const both = Promise.allSettled([search(SOMEBODY, leaving.signal), search(SOMEBODY)]);
  await world.net.advance(100);
  leaving.abort(new Error('gone'));
  const [left, stayed] = await world.net.wait(both);
  t.is(left.status, 'rejected');
  t.like(stayed, { status: 'fulfilled', value: { found: false } });
  t.is(p.counters('worm-search')['queries-not-known'], 1);
});

test('worm explain tells which searches run, and what the last ones came to', async (t) => {
  const world = new WormNet(t);
  const [a, p, target] = await world.nodes(HONEST, 'a', 'p', 'target');
  await world.link(a, p);
  await world.link(p, target);
  const search = world.search(a, target.id);
  const { signal } = new AbortController();
  const explain = () => a.kernel.host.run('worm.explain', {}, { signal, progress() {} });
  t.like(await explain(), { running: [{ kind: 'node', id: target.id }], ended: [] });
  await search;
  await world.search(a, SOMEBODY);
  t.like(await explain(), {
    running: [],
    ended: [
      { id: SOMEBODY, found: false, holder: null },
      { kind: 'node', id: target.id, found: true, holder: target.id, messages: 1 },
    ],
  });
});

test('more than sixteen targets at once are refused', async (t) => {
  const world = new WormNet(t);
  const [a] = await world.nodes(HONEST, 'a');
  const [slow] = await world.nodes(LIAR, 'slow');
  await world.link(a, slow);
  await world.say(slow, 'never');
  const ids = Array.from({ length: 17 }, (_, index) => (index + 16).toString(16).repeat(32));
  const results = await world.net.wait(
    Promise.allSettled(
      ids.map((id) => a.kernel.host.run('search', { id }, { signal: new AbortController().signal, progress() {} })),
    ),
  );
  t.is(results.filter(({ status }) => status === 'rejected').length, 1);
});

test('a reload ends running searches and goes on knowing which were seen', async (t) => {
  const world = new WormNet(t);
  const [a, p] = await world.nodes(HONEST, 'a', 'p');
  await world.link(a, p);
  t.false((await world.search(a, SOMEBODY)).found);
  const before = p.inspect('worm-search').diagnostics as { seen: number };
  t.is((await p.reload('worm-search')).outcome, 'committed');
  t.deepEqual((p.inspect('worm-search').diagnostics as { seen: number }).seen, before.seen);
});
