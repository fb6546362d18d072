import test from 'ava';
import { deleteRecord, postDeleted, postNotification, postStored } from '../../plugins/content/api.ts';
import { composeDelete } from '../../plugins/content/publish.ts';
import { signedPost, testIdentity, World } from './world.ts';
import type { TestNode } from './world.ts';

/** What the plugin says of itself: events to other plugins, results of commands, figures. */

async function pair(
  t: ConstructorParameters<typeof World>[0],
): Promise<{ world: World; anna: TestNode; ben: TestNode }> {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  return { world, anna, ben };
}

test('other plugins are told of each post that is stored, where it came from, and of each delete', async (t) => {
  const { world, anna, ben } = await pair(t);
  const heard: unknown[] = [];
  ben.bus.subscribe('test', postStored, (event) => void heard.push(event));
  ben.bus.subscribe('test', postDeleted, (event) => void heard.push(event));
  const [pushed, unseen] = [signedPost(anna.identity, 'pushed', 1_000), signedPost(anna.identity, 'unseen', 2_000)];
  const notice = { post_id: pushed.id, author: anna.id, timestamp_ms: 1_000, post: pushed };
  for (const _ of ['first', 'again']) await world.clock.until(ben.receive(anna, postNotification, notice));
  for (const { id } of [pushed, pushed, unseen]) {
    const record = composeDelete(anna.identity, id, world.clock.now());
    await world.clock.until(ben.receive(anna, deleteRecord, record));
  }
  await world.settle();
  t.deepEqual(heard, [
    { posts: [{ id: pushed.id, author: anna.id, timestampMs: 1_000 }], origin: 'push' },
    { id: pushed.id, author: anna.id, hadPost: true },
    { id: unseen.id, author: anna.id, hadPost: false },
  ]);
  t.is(ben.figures().posts, 0);
});

test('sync.now says how many peers were asked and how many posts came', async (t) => {
  const { world, anna, ben } = await pair(t);
  await world.connect(anna, ben);
  t.deepEqual(await ben.run('sync.now'), { peers: 1, posts: 0 });
  ben.links.delete(anna.id);
  anna.links.delete(ben.id);
  for (const text of ['one', 'two', 'three']) await anna.run('post.create', { text });
  await world.settle();
  ben.links.add(anna.id);
  anna.links.add(ben.id);
  t.deepEqual(await ben.run('sync.now', { peer: anna.id }), { peers: 1, posts: 3 });
});

test('sync.now refuses a peer that is not connected or not followed', async (t) => {
  const { world, anna, ben } = await pair(t);
  await t.throwsAsync(ben.run('sync.now', { peer: anna.id }), { code: 'content/not-a-source' });
  await world.connect(anna, ben);
  await t.throwsAsync(anna.run('sync.now', { peer: ben.id }), { code: 'content/not-a-source' });
  await t.throwsAsync(ben.run('sync.now', { peer: testIdentity('cleo').nodeId }), { code: 'content/not-a-source' });
  t.deepEqual(await anna.run('sync.now'), { peers: 0, posts: 0 });
});
