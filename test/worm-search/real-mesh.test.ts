import test from 'ava';
import { TestNetwork } from '../../kernel/testing/index.ts';
import type { Search } from './world.ts';
import { CORE } from '../mesh/mesh-net.ts';

test('a post is found over the real mesh, with a swap of mesh and of worm search in between', async (t) => {
  const net = new TestNetwork({
    t,
    builtin: [...CORE, 'social', 'presence', 'content', 'worm-search'],
  });
  const [a, p, far] = await net.start('a', 'p', 'far');
  await a.run('peer.connect', { target: p.connectString });
  await p.run('peer.connect', { target: far.connectString });
  await net.advance(1_000);
  const search = (id: string): Promise<Search> => a.run('search', { id, kind: 'post', explain: true });
  const first = await p.run<{ id: string }>('post.create', { text: 'one' });
  t.like(await search(first.id), { found: true, local: false, holder: p.id });

  for (const node of [a, p]) {
    for (const plugin of ['mesh', 'worm-search', 'content']) t.is((await node.reload(plugin)).outcome, 'committed');
  }
  await net.advance(1_000);
  const second = await p.run<{ id: string }>('post.create', { text: 'two' });
  t.like(await search(second.id), { found: true, local: false, holder: p.id });
});

test('with worm search off at a peer, that peer is not asked', async (t) => {
  const net = new TestNetwork({
    t,
    builtin: [...CORE, 'social', 'presence', 'content', 'worm-search'],
  });
  const [a, p] = await net.start('a', 'p');
  await a.run('peer.connect', { target: p.connectString });
  await net.advance(1_000);
  await p.disable('worm-search');
  await net.advance(1_000);
  const missed = await a.run<Search>('search', { id: 'ab'.repeat(32), explain: true });
  t.like(missed, { found: false, cost: { relay_hops: 0 } });
});
