import type { PostId } from '../../plugins/content/api.ts';
import { join } from 'node:path';
import test from 'ava';
import Sqlite from 'better-sqlite3';
import { deleteRecord, postNotification } from '../../plugins/content/api.ts';
import { composeDelete } from '../../plugins/content/publish.ts';
import { signedPost, World } from './world.ts';
import type { TestNode } from './world.ts';

async function trio(
  t: ConstructorParameters<typeof World>[0],
): Promise<{ world: World; anna: TestNode; ben: TestNode; cleo: TestNode }> {
  const world = new World(t);
  const [anna, ben, cleo] = [await world.node('anna'), await world.node('ben'), await world.node('cleo')];
  for (const node of [ben, cleo]) await node.follow(anna);
  await cleo.follow(ben);
  return { world, anna, ben, cleo };
}

async function post(node: TestNode, text: string): Promise<PostId> {
  const { id } = (await node.run('post.create', { text })) as { id: PostId };
  await node.world.settle();
  return id;
}

test('a delete reaches connected peers at once (path 0x51)', async (t) => {
  const { world, anna, ben } = await trio(t);
  await world.connect(anna, ben);
  const id = await post(anna, 'oops');
  t.deepEqual(await ben.texts(), ['oops']);
  await anna.run('post.delete', { id });
  await world.settle();
  t.deepEqual(await ben.texts(), []);
  t.deepEqual(await anna.texts(), []);
});

test('a node that was away learns a delete by the handshake alone', async (t) => {
  const { world, anna, ben } = await trio(t);
  await world.connect(anna, ben);
  const id = await post(anna, 'oops');
  world.disconnect(anna, ben);
  await anna.run('post.delete', { id });
  anna.answer = (message) =>
    message.name === 'PullSyncRequest'
      ? { log: 'a'.repeat(32), posts: [], deletes: [], cursors: [], more: false }
      : undefined;
  await world.connect(anna, ben);
  t.deepEqual(await ben.texts(), []);
});

test('a node that was away learns a delete by pull alone', async (t) => {
  const { world, anna, ben } = await trio(t);
  await world.connect(anna, ben);
  const id = await post(anna, 'oops');
  world.disconnect(anna, ben);
  await anna.run('post.delete', { id });
  anna.extensions = () => [];
  await world.connect(anna, ben);
  t.deepEqual(await ben.texts(), []);
});

test('a deleted post never returns: not from a stale holder, not by push, not before its record (DEL-05)', async (t) => {
  const { world, anna, ben, cleo } = await trio(t);
  await world.connect(anna, ben);
  await world.connect(anna, cleo);
  const id = await post(anna, 'oops');
  const copy = await ben.service((content) => content.get(id));
  world.disconnect(anna, ben);
  await anna.run('post.delete', { id });
  await world.settle();
  t.deepEqual(await cleo.texts(), []);
  await world.connect(ben, cleo);
  await cleo.run('sync.now');
  t.deepEqual(await cleo.texts(), []);
  const notice = { post_id: id, author: anna.id, timestamp_ms: 1, post: copy };
  await world.clock.until(cleo.receive(ben, postNotification, notice));
  t.deepEqual(await cleo.texts(), []);
  t.deepEqual(await ben.texts(), [], 'the stale holder learned it in turn');
});

test('a delete record that comes before its post keeps the post out', async (t) => {
  const { world, anna, ben } = await trio(t);
  const early = signedPost(anna.identity, 'too late', world.clock.now());
  const record = composeDelete(anna.identity, early.id, world.clock.now());
  await world.clock.until(ben.receive(anna, deleteRecord, record));
  await world.clock.until(
    ben.receive(anna, postNotification, { post_id: early.id, author: anna.id, timestamp_ms: 1, post: early }),
  );
  t.deepEqual(await ben.texts(), []);
  t.is(ben.counters.read()['post-refused:deleted'], 1);
});

test('delete records of others, forged ones and replays have no effect (DEL-01, DEL-02)', async (t) => {
  const { world, anna, ben, cleo } = await trio(t);
  await world.connect(anna, ben);
  const id = await post(anna, 'stays');
  const now = world.clock.now();
  const send = (record: object): Promise<unknown> => world.clock.until(ben.receive(cleo, deleteRecord, record));
  const honest = composeDelete(anna.identity, id, now);
  await send(composeDelete(cleo.identity, id, now));
  await send({ ...composeDelete(cleo.identity, id, now), author: anna.id });
  await send({ ...honest, timestamp_ms: honest.timestamp_ms - 1 });
  await send(composeDelete(anna.identity, id, now + 11 * 60_000));
  await send(composeDelete(cleo.identity, 'ab'.repeat(32) as PostId, now));
  t.deepEqual(await ben.texts(), ['stays']);
  t.like(ben.counters.read(), {
    'delete-refused:not-author': 1,
    'delete-refused:forged': 2,
    'delete-refused:future': 1,
    'delete-refused:irrelevant': 1,
  });
  await send(honest);
  await send(honest);
  t.deepEqual(await ben.texts(), []);
  await ben.kit.stop();
  const stored = new Sqlite(join(ben.kit.machine.dataDir, 'itsgoin.db'), { readonly: true });
  t.teardown(() => stored.close());
  t.is(stored.prepare('SELECT count(*) FROM deleted_posts').pluck().get(), 1);
});

test("a stranger's record for a post not here yet does not keep the author's own out", async (t) => {
  const { world, anna, ben, cleo } = await trio(t);
  await ben.follow(cleo);
  const later = signedPost(anna.identity, 'later', world.clock.now());
  await world.clock.until(ben.receive(cleo, deleteRecord, composeDelete(cleo.identity, later.id, world.clock.now())));
  await world.clock.until(
    ben.receive(anna, postNotification, { post_id: later.id, author: anna.id, timestamp_ms: 1, post: later }),
  );
  t.deepEqual(await ben.texts(), ['later']);
  await world.clock.until(ben.receive(anna, deleteRecord, composeDelete(anna.identity, later.id, world.clock.now())));
  t.deepEqual(await ben.texts(), []);
});

test('only own, stored posts can be deleted', async (t) => {
  const { world, anna, ben } = await trio(t);
  await world.connect(anna, ben);
  const id = await post(anna, 'mine');
  await t.throwsAsync(ben.run('post.delete', { id }), { code: 'content/not-author' });
  await t.throwsAsync(ben.run('post.delete', { id: 'ab'.repeat(32) }), { code: 'content/no-such-post' });
  await t.throwsAsync(ben.run('post.delete', { id: 'xyz' }), { code: 'content/bad-post-id' });
  await t.throwsAsync(anna.run('post.create', { text: ' \n' }), { code: 'content/bad-post' });
  await t.throwsAsync(anna.run('post.create', { text: 'x'.repeat(65_537) }), { code: 'content/bad-post' });
  await t.throwsAsync(anna.run('feed.list', { cursor: 'nonsense' }), { code: 'content/bad-cursor' });
});
