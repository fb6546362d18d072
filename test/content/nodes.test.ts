import test from 'ava';
import { filter, firstValueFrom, shareReplay, tap, timeout } from 'rxjs';
import { postStored } from '../../plugins/content/api.ts';
import type { PostPage } from '../../plugins/content/api.ts';
import { testNode } from '../rig/nodes.ts';
import type { TestNode } from '../rig/nodes.ts';

async function feedIds(node: TestNode): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: PostPage = await node.run<PostPage & Record<string, unknown>>(
      'feed.list',
      cursor === null ? { limit: 200 } : { limit: 200, cursor },
    );
    ids.push(...page.posts.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== null);
  return ids;
}

/** From now on notes what is stored; gives a wait for certain posts. */
function arrivals(node: TestNode): (ids: readonly string[]) => Promise<unknown> {
  const seen = new Set<string>();
  const heard = node.bus.all().pipe(
    filter(({ topic }) => topic === postStored.name),
    tap(({ event }) => {
      for (const { id } of (event as { posts: readonly { id: string }[] }).posts) seen.add(id);
    }),
    shareReplay(),
  );
  heard.subscribe();
  return (ids) =>
    firstValueFrom(
      heard.pipe(
        filter(() => ids.every((id) => seen.has(id))),
        timeout(20_000),
      ),
    );
}

test('content reloads on both sides of a QUIC connection while posts flow: each arrives once', async (t) => {
  const [author, reader] = [await testNode(t), await testNode(t)];
  await reader.run('follow.add', { target: author.connectString });
  const all = arrivals(reader);
  const created: Promise<{ id: string }>[] = [];
  for (let round = 0; round < 8; round++) {
    const batch = Array.from({ length: 40 }, (_, i) =>
      author.run<{ id: string }>('post.create', { text: `${round}/${i}` }),
    );
    created.push(...batch);
    const outcomes = await Promise.all([author.host.reload('content'), reader.host.reload('content')]);
    for (const { outcome, reason } of outcomes) t.is(outcome, 'committed', reason);
    await Promise.all(batch);
  }
  const ids = (await Promise.all(created)).map(({ id }) => id);
  t.is(new Set(ids).size, ids.length);
  await all(ids);
  t.deepEqual((await feedIds(reader)).toSorted(), ids.toSorted());
  t.is(reader.network.connections().length, 1);
});

test('posts written while the reader has content off, or is not connected, come when it is back', async (t) => {
  const [author, reader] = [await testNode(t), await testNode(t)];
  await reader.run('follow.add', { target: author.connectString });
  await reader.host.disable('content');
  const { id } = await author.run<{ id: string }>('post.create', { text: 'while off' });
  const arrived = reader.nextEvent('content/post-stored');
  await reader.host.enable('content');
  await arrived;
  t.deepEqual(await feedIds(reader), [id]);
});
