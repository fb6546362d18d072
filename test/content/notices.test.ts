import test from 'ava';
import type { ExecutionContext } from 'ava';
import { wireErrors } from '../../kernel/wire/errors.ts';
import { deleteRecord, postNotification } from '../../plugins/content/api.ts';
import type { PostId } from '../../plugins/content/post-id.ts';
import { composeDelete } from '../../plugins/content/publish.ts';
import { signedPost, World } from './world.ts';
import type { TestNode } from './world.ts';

/** Notices whose post has to be fetched, and what becomes of it when it cannot be. */

async function scene(
  t: ExecutionContext,
): Promise<{ world: World; reader: TestNode; author: TestNode; friend: TestNode }> {
  const world = new World(t);
  const [reader, author, friend] = [await world.node('reader'), await world.node('author'), await world.node('friend')];
  await reader.follow(author);
  for (const node of [author, friend]) await world.connect(reader, node);
  return { world, reader, author, friend };
}

const pulls = (node: TestNode, from: TestNode): number =>
  node.sent.filter(({ to, name }) => to === from.id && name === 'PullSyncRequest').length;

/** A notice of a post that is too large to come with it. */
const notice = (id: PostId, author: TestNode) => ({ post_id: id, author: author.id, timestamp_ms: 1_000 });

test('a post that cannot be fetched is looked for by a pull from who told of it, if it is followed', async (t) => {
  const { world, reader, author, friend } = await scene(t);
  const post = signedPost(author.identity, 'hello', 1_000);
  for (const teller of [author, friend]) {
    teller.answer = (message) => {
      if (message.name === 'PostFetchRequest') throw wireErrors.make('deadline', { name: message.name });
      return undefined;
    };
    const before = pulls(reader, teller);
    await world.clock.until(reader.receive(teller, postNotification, notice(post.id, author)));
    t.is(pulls(reader, teller) > before, teller === author);
  }
  t.is(reader.counters.read()['fetch-failed:wire/deadline'], 2);
  author.answer = undefined;
  t.deepEqual(await reader.texts(), []);
});

test('a post that its teller does not have is not looked for', async (t) => {
  const { world, reader, author } = await scene(t);
  const post = signedPost(author.identity, 'hello', 1_000);
  const before = pulls(reader, author);
  await world.clock.until(reader.receive(author, postNotification, notice(post.id, author)));
  t.is(pulls(reader, author), before);
  t.deepEqual(await reader.texts(), []);
});

test('a post is fetched once, however many tell of it at a time', async (t) => {
  const { world, reader, author, friend } = await scene(t);
  await author.run('post.create', { text: 'x'.repeat(20_000) });
  await world.settle();
  await reader.run('sync.now');
  const post = signedPost(author.identity, 'hello', 1_000);
  const fetches = (): number => reader.sent.filter(({ name }) => name === 'PostFetchRequest').length;
  const before = fetches();
  const tellers = [author, friend, author];
  const told = tellers.map((teller) => reader.receive(teller, postNotification, notice(post.id, author)));
  await world.clock.until(Promise.all(told));
  t.is(fetches(), before + 1);
});

test('a part of the handshake that is no list of delete records is counted and harms nothing', async (t) => {
  const { world, reader, author } = await scene(t);
  await author.run('post.create', { text: 'stays' });
  await world.settle();
  const [part] = reader.extensions();
  const before = reader.counters.read()['delete-refused:malformed'] ?? 0;
  for (const value of [undefined, null, 7, 'deletes', [], {}, { deletes: {} }])
    await world.clock.until(Promise.resolve(part?.use(({ receive }) => receive(author.identity.self, value))));
  t.is(reader.counters.read()['delete-refused:malformed'], before + 7);
  t.deepEqual(await reader.texts(), ['stays']);
});

test('a delete record that a peer did not take is counted, and the others get it', async (t) => {
  const { world, reader, author, friend } = await scene(t);
  await world.connect(author, friend);
  const { id } = (await author.run('post.create', { text: 'oops' })) as { id: string };
  await world.settle();
  friend.answer = (message) => {
    if (message.name === 'DeleteRecord') throw wireErrors.make('deadline', { name: message.name });
    return undefined;
  };
  await author.run('post.delete', { id });
  await world.settle();
  t.is(author.counters.read()['announcement-failed:wire/deadline'], 1);
  t.deepEqual(await reader.texts(), []);
  t.is(author.figures().announcing, 0);
});

test('two copies of one delete record that arrive together are one delete', async (t) => {
  const { world, reader, author } = await scene(t);
  const post = signedPost(author.identity, 'twice', 1_000);
  await world.clock.until(reader.receive(author, postNotification, { ...notice(post.id, author), post }));
  t.is(reader.figures().posts, 1);
  const record = composeDelete(author.identity, post.id, world.clock.now());
  await world.clock.until(Promise.all([1, 2].map(() => reader.receive(author, deleteRecord, record))));
  t.is(reader.figures().posts, 0);
  const [part] = reader.extensions();
  t.deepEqual(reader.told(part?.name ?? '', author), { deletes: [record] });
});
