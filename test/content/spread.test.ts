import test from 'ava';
import { type PostPage, postNotification } from '../../plugins/content/api.ts';
import { followed, unfollowed } from '../../plugins/social/api.ts';
import { signedPost, testIdentity, World } from './world.ts';

test('a post reaches the feed of a connected follower at once, and that of an unconnected one when it connects', async (t) => {
  const world = new World(t);
  const [anna, ben, cleo] = [await world.node('anna'), await world.node('ben'), await world.node('cleo')];
  await ben.follow(anna);
  await cleo.follow(anna);
  await world.connect(anna, ben);
  const { id } = (await anna.run('post.create', { text: 'hello' })) as { id: string };
  await world.settle();
  t.deepEqual(await ben.texts(), ['hello']);
  t.deepEqual(await cleo.texts(), []);
  await world.connect(anna, cleo);
  const { posts } = (await cleo.run('feed.list')) as PostPage;
  t.deepEqual(posts, [
    { id, author: anna.id, timestamp_ms: posts[0]?.timestamp_ms ?? 0, text: 'hello', visibility: 'public' },
  ]);
});

test('following a connected author pulls what was posted before (SOC-07)', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna', { pullPageEntries: 7 }), await world.node('ben')];
  for (let i = 0; i < 40; i++) await anna.run('post.create', { text: `post ${i}` });
  await world.connect(anna, ben);
  t.deepEqual(await ben.texts(), []);
  await ben.follow(anna);
  await world.clock.advance(1_000);
  t.deepEqual(await ben.texts(), await anna.texts());
  t.is((await ben.texts()).length, 40);
});

test('posts of an author who is away come from another followed peer, and only those missing are sent', async (t) => {
  const world = new World(t);
  const [anna, ben, cleo] = [await world.node('anna'), await world.node('ben'), await world.node('cleo')];
  await ben.follow(anna);
  await cleo.follow(anna);
  await cleo.follow(ben);
  await world.connect(anna, ben);
  await world.connect(anna, cleo);
  await anna.run('post.create', { text: 'both see it' });
  await world.settle();
  world.disconnect(anna, cleo);
  await anna.run('post.create', { text: 'only ben sees it' });
  await world.settle();
  await world.connect(ben, cleo);
  await world.settle();
  t.deepEqual(await cleo.texts(), ['only ben sees it', 'both see it']);
  const wanted = cleo.sent.flatMap(({ body }) => (body as { wanted?: string[] }).wanted ?? []);
  t.is(wanted.length, 1);
});

test('a post that reaches the serving peer late is still pulled after younger ones (marker is arrival, not time)', async (t) => {
  const world = new World(t);
  const [anna, ben, cleo] = [await world.node('anna'), await world.node('ben'), await world.node('cleo')];
  const now = world.clock.now();
  await ben.follow(anna);
  await cleo.follow(anna);
  await cleo.follow(ben);
  const push = (text: string, timestampMs: number) => {
    const post = signedPost(anna.identity, text, timestampMs);
    const { author, timestamp_ms } = post.post;
    return ben.receive(anna, postNotification, { post_id: post.id, author, timestamp_ms, post });
  };
  await world.clock.until(push('young', now));
  await world.connect(ben, cleo);
  t.deepEqual(await cleo.texts(), ['young']);
  await world.clock.until(push('old', now - 86_400_000));
  await cleo.run('sync.now');
  t.deepEqual(await cleo.texts(), ['young', 'old']);
});

test('a post too large to travel in its notice is fetched by id', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  await anna.run('post.create', { text: 'x'.repeat(40_000) });
  await world.settle();
  t.is((await ben.texts())[0]?.length, 40_000);
  t.true(ben.sent.some(({ name }) => name === 'PostFetchRequest'));
});

test('a text that grows sixfold when escaped still gets through', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  const text = `a${'\u0001'.repeat(16_000)}`;
  await anna.run('post.create', { text });
  await world.settle();
  t.deepEqual(await ben.texts(), [text]);
});

test('nobody who neither follows nor is followed is told of a post, and unfollowing hides the author at once', async (t) => {
  const world = new World(t);
  const [anna, ben, cleo] = [await world.node('anna'), await world.node('ben'), await world.node('cleo')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  await world.connect(anna, cleo);
  await anna.run('post.create', { text: 'hi' });
  await world.settle();
  t.deepEqual(
    anna.sent.filter(({ name }) => name === 'PostNotification').map(({ to }) => to),
    [ben.id],
  );
  await ben.unfollow(anna);
  t.deepEqual(await ben.texts(), []);
  await ben.follow(anna);
  t.deepEqual(await ben.texts(), ['hi']);
});

test('unfollowing in the middle of a pull and following again leaves no gap', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna', { pullPageEntries: 2 }), await world.node('ben')];
  for (let i = 0; i < 200; i++) await anna.run('post.create', { text: `post ${i}` });
  await ben.follow(anna);
  await world.connect(anna, ben);
  for (let i = 0; i < 5; i++) {
    ben.follows.delete(anna.id);
    ben.bus.publish(unfollowed, { nodeId: anna.id, relation: undefined });
    await world.clock.advance(i);
    ben.follows.add(anna.id);
    ben.bus.publish(followed, { nodeId: anna.id, relation: 'follow', addresses: [] });
    await world.clock.advance(7);
  }
  // Requests beyond what one peer may ask at once go at 15 a second.
  await world.clock.advance(10_000);
  t.is(ben.figures().posts, 200);
});

test('what was posted while the plugin was off is there after it comes on', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  await ben.stop();
  await anna.run('post.create', { text: 'missed' });
  await world.settle();
  await ben.start();
  await world.settle();
  t.deepEqual(await ben.texts(), ['missed']);
});

test('a reload in the middle of a first sync loses and doubles nothing', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna', { pullPageEntries: 10 }), await world.node('ben')];
  for (let i = 0; i < 300; i++) await anna.run('post.create', { text: `post ${i}` });
  ben.follows.add(anna.id);
  await world.connect(anna, ben);
  for (let i = 0; i < 8; i++) {
    await ben.reload();
    await world.clock.advance(3);
  }
  await world.clock.advance(2_000);
  const { posts, next } = (await ben.run('feed.list', { limit: 200 })) as PostPage;
  const rest = (await ben.run('feed.list', { limit: 200, cursor: next })) as PostPage;
  t.is(new Set([...posts, ...rest.posts].map(({ id }) => id)).size, 300);
  t.is(rest.next, null);
  t.is(ben.figures().posts, 300);
});

test('an announcement that a reload interrupts is made by the next generation', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  await anna.run('post.create', { text: 'in between' });
  await anna.reload();
  await world.settle();
  t.deepEqual(await ben.texts(), ['in between']);
});

test('a follower that cannot take a burst of notices is told that it is behind, and pulls the rest', async (t) => {
  const world = new World(t);
  const [anna, ben] = [await world.node('anna'), await world.node('ben')];
  await ben.follow(anna);
  await world.connect(anna, ben);
  await Promise.all(Array.from({ length: 400 }, (_, i) => anna.run('post.create', { text: `${i}` })));
  await world.settle();
  const told = Number(ben.figures().posts);
  t.true(told < 400);
  await world.clock.advance(500);
  t.is(ben.figures().posts, 400);
});

test('names and a stranger without posts', async (t) => {
  const world = new World(t);
  const anna = await world.node('anna');
  await anna.run('post.create', { text: 'mine' });
  const { posts } = (await anna.run('post.list')) as PostPage;
  t.is(posts[0]?.author_name, 'me');
  const none = (await anna.run('post.list', { author: testIdentity('nobody').nodeId })) as PostPage;
  t.deepEqual(none, { posts: [], next: null });
});
