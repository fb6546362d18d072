import type { PostId } from '../../plugins/content/api.ts';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { composeDelete } from '../../plugins/content/publish.ts';
import { postNotification } from '../../plugins/content/api.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import { blake3Hex, canonicalJson } from '../../kernel/index.ts';
import { signedPost, testIdentity, World } from './world.ts';
import type { TestNode } from './world.ts';

const LOG = 'a'.repeat(32);
const MINUTE_MS = 60_000;

interface Scene {
  readonly world: World;
  /** Follows `author`, who is connected and whose answers the test writes. */
  readonly reader: TestNode;
  readonly author: TestNode;
  readonly good: SyncPost;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const world = new World(t);
  const [reader, author] = [await world.node('reader'), await world.node('author')];
  await reader.follow(author);
  return { world, reader, author, good: signedPost(author.identity, 'good', world.clock.now()) };
}

/** Answers every pull with these posts, once. */
async function serve({ world, reader, author }: Scene, posts: readonly unknown[], extra: object = {}): Promise<void> {
  let served = false;
  author.answer = (message) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    const page = { log: LOG, posts: served ? [] : posts, deletes: [], cursors: [], more: false, ...extra };
    served = true;
    return page;
  };
  await world.connect(reader, author);
  await world.clock.advance(500);
}

const forgeries: Record<string, { reason: string; forge: (good: SyncPost, scene: Scene) => unknown }> = {
  'altered text': { reason: 'bad-id', forge: (good) => ({ ...good, post: { ...good.post, content: 'evil' } }) },
  'altered time': {
    reason: 'bad-id',
    forge: (good) => ({ ...good, post: { ...good.post, timestamp_ms: good.post.timestamp_ms - 1 } }),
  },
  'an added field': { reason: 'bad-id', forge: (good) => ({ ...good, post: { ...good.post, more: 1 } }) },
  'altered text with its own id': {
    reason: 'forged',
    forge: (good) => {
      const post = { ...good.post, content: 'evil' };
      return { ...good, post, id: blake3Hex(Buffer.from(canonicalJson(post))) };
    },
  },
  'one flipped signature bit': {
    reason: 'forged',
    forge: (good) => ({
      ...good,
      signature: good.signature.replace(/^./, (digit) => (Number.parseInt(digit, 16) ^ 1).toString(16)),
    }),
  },
  'the signature of somebody else': {
    reason: 'forged',
    forge: (good) => ({
      ...good,
      signature: signedPost(testIdentity('mallory'), 'good', good.post.timestamp_ms).signature,
    }),
  },
  'a post by nobody we asked for': {
    reason: 'unrequested',
    forge: (_good, { world }) => signedPost(testIdentity('mallory'), 'spam', world.clock.now()),
  },
  'a post from the future': {
    reason: 'future',
    forge: (_good, { world, author }) => signedPost(author.identity, 'tomorrow', world.clock.now() + 11 * MINUTE_MS),
  },
  'more text than allowed': {
    reason: 'too-large',
    forge: (good) => ({ ...good, post: { ...good.post, content: 'x'.repeat(64 * 1024 + 1) } }),
  },
  'more text than allowed in unknown fields': {
    reason: 'too-large',
    forge: (good) => ({ ...good, post: { ...good.post, padding: 'x'.repeat(130 * 1024) } }),
  },
  'five attachments': {
    reason: 'too-large',
    forge: (good) => {
      const attachment = { cid: good.id, mime: 'image/png', size: 1, name: 'a.png' };
      return { ...good, post: { ...good.post, attachments: Array(5).fill(attachment) } };
    },
  },
  'a lone surrogate': {
    reason: 'malformed',
    forge: (good) => ({ ...good, post: { ...good.post, content: '\ud800' } }),
  },
  'nesting without end': {
    reason: 'malformed',
    forge: (good) => ({
      ...good,
      post: { ...good.post, deep: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown },
    }),
  },
  'a visibility we do not know': {
    reason: 'unsupported-visibility',
    forge: (good) => ({ ...good, visibility: { kind: 'secret' } }),
  },
  'no post at all': { reason: 'malformed', forge: () => 7 },
  null: { reason: 'malformed', forge: () => null },
  'a wrong type': { reason: 'malformed', forge: (good) => ({ ...good, post: { ...good.post, timestamp_ms: '1' } }) },
  'a missing signature': { reason: 'malformed', forge: ({ id, post, visibility }) => ({ id, post, visibility }) },
  'an id in capitals': { reason: 'malformed', forge: (good) => ({ ...good, id: good.id.toUpperCase() }) },
};

for (const [name, { reason, forge }] of Object.entries(forgeries)) {
  test(`${name}: refused as ${reason}, and the rest of the page is kept`, async (t) => {
    const set = await scene(t);
    const before = signedPost(set.author.identity, 'before', set.world.clock.now() - 1);
    await serve(set, [before, forge(set.good, set), set.good]);
    t.deepEqual(await set.reader.texts(), ['good', 'before']);
    t.is(set.reader.counters.read()[`post-refused:${reason}`], 1);
  });
}

test('a replayed post is stored once and shown once', async (t) => {
  const set = await scene(t);
  await serve(set, [set.good, set.good]);
  const notice = {
    post_id: set.good.id,
    author: set.author.id,
    timestamp_ms: set.good.post.timestamp_ms,
    post: set.good,
  };
  await set.world.clock.until(set.reader.receive(set.author, postNotification, notice));
  t.deepEqual(await set.reader.texts(), ['good']);
});

test('a notice is refused when its author is not followed or its post is another', async (t) => {
  const { world, reader, author, good } = await scene(t);
  const mallory = await world.node('mallory');
  const spam = signedPost(mallory.identity, 'spam', world.clock.now());
  const notice = (id: PostId, author: string, post?: unknown) => ({
    post_id: id,
    author,
    timestamp_ms: 1,
    ...(post === undefined ? {} : { post }),
  });
  await world.clock.until(reader.receive(mallory, postNotification, notice(spam.id, mallory.id, spam)));
  await world.clock.until(reader.receive(mallory, postNotification, notice(good.id, author.id, spam)));
  await world.clock.until(reader.receive(mallory, postNotification, notice(spam.id, author.id, spam)));
  t.deepEqual(await reader.texts(), []);
  t.like(reader.counters.read(), { 'notice-unwanted': 1, 'post-refused:unrequested': 2 });
});

test('a notice without its post, whose sender then gives another one, stores nothing', async (t) => {
  const { world, reader, author, good } = await scene(t);
  const other = signedPost(author.identity, 'other', world.clock.now());
  author.answer = (message) => (message.name === 'PostFetchRequest' ? { found: true, post: other } : undefined);
  reader.links.add(author.id);
  author.links.add(reader.id);
  await world.clock.until(
    reader.receive(author, postNotification, { post_id: good.id, author: author.id, timestamp_ms: 1 }),
  );
  t.deepEqual(await reader.texts(), []);
});

test('pages that never end and lead nowhere end the pull, and the peer is left alone for a while', async (t) => {
  const set = await scene(t);
  let pulls = 0;
  set.author.answer = (message) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    pulls += 1;
    return { log: LOG, posts: [], deletes: [], cursors: [], more: true };
  };
  await set.world.connect(set.reader, set.author);
  await set.world.clock.advance(5_000);
  await set.reader.run('sync.now');
  t.is(pulls, 1);
  t.is(set.reader.counters.read()['pull-failed:content/misled'], 1);
  await set.world.clock.advance(11 * MINUTE_MS);
  await set.reader.run('sync.now');
  t.is(pulls, 2);
});

test('a peer that moves the marker for ever is cut off after the pages of one pull', async (t) => {
  const world = new World(t);
  const [reader, author] = [await world.node('reader', { pullPages: 20 }), await world.node('author')];
  reader.follows.add(author.id);
  let since = 0;
  let now = world.clock.now();
  author.answer = (message, body: { wanted?: unknown; ids_only?: boolean }) => {
    if (message.name !== 'PullSyncRequest' || body.ids_only === true) return undefined;
    since += 1;
    now -= 1;
    return {
      log: LOG,
      posts: [signedPost(author.identity, 'x', now)],
      deletes: [],
      cursors: [{ author: author.id, since }],
      more: true,
    };
  };
  await world.connect(reader, author);
  await world.clock.advance(5_000);
  t.is(since, 20);
});

test('a peer whose posts are nearly all forged is cut off', async (t) => {
  const set = await scene(t);
  const forged = Array.from({ length: 500 }, (_, i) => ({ ...set.good, id: i.toString(16).padStart(64, '0') }));
  let since = 0;
  set.author.answer = (message) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    since += 1;
    return { log: LOG, posts: forged, deletes: [], cursors: [{ author: set.author.id, since }], more: true };
  };
  await set.world.connect(set.reader, set.author);
  await set.world.clock.advance(60_000);
  t.true(since <= 3);
  t.is(set.reader.counters.read()['pull-failed:content/misled'], 1);
});

test('forged delete records and invented ids cost a peer nothing, however many it told', async (t) => {
  const id = (n: number): string => n.toString(16).padStart(64, '0');
  const remove = composeDelete(testIdentity('mallory'), id(1) as PostId, 1_000);
  for (const kind of ['deletes', 'ids']) {
    const { world, reader, author } = await scene(t);
    let since = 0;
    author.answer = (message, body: { wanted?: string[] }) => {
      if (message.name !== 'PullSyncRequest') return undefined;
      if (body.wanted !== undefined) return { log: LOG, posts: [], deletes: [], cursors: [], more: false };
      since += 1;
      const numbers = Array.from({ length: 400 }, (_, n) => 1_000 * since + n);
      return {
        ...{ log: LOG, posts: [], cursors: [{ author: author.id, since }], more: true },
        deletes: kind === 'deletes' ? numbers.map((n) => ({ ...remove, author: author.id, post_id: id(n) })) : [],
        ids: kind === 'ids' ? numbers.map((n) => ({ author: author.id, id: id(n) })) : [],
      };
    };
    await world.connect(reader, author);
    await world.clock.advance(60_000);
    t.is(reader.counters.read()['pull-failed:content/misled'], 1, kind);
    t.true(since <= 4, `${kind}: ${since} pages`);
  }
});

test('ids of others that a peer tells are fetched only for asked authors, and what comes unasked is refused', async (t) => {
  const { world, reader, author, good } = await scene(t);
  const friend = await world.node('friend');
  reader.follows.add(friend.id);
  const spam = signedPost(testIdentity('mallory'), 'spam', world.clock.now());
  const wanted: string[] = [];
  friend.answer = (message, body: { wanted?: string[]; ids_only?: boolean }) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    wanted.push(...(body.wanted ?? []));
    const ids =
      body.ids_only === true
        ? [
            { author: author.id, id: good.id },
            { author: spam.post.author, id: spam.id },
          ]
        : undefined;
    return {
      log: LOG,
      posts: body.wanted === undefined ? [] : [spam, good],
      ids: ids ?? [],
      deletes: [],
      cursors: [],
      more: false,
    };
  };
  await world.connect(reader, friend);
  await world.clock.advance(500);
  t.deepEqual(await reader.texts(), ['good']);
  t.deepEqual(wanted, [good.id]);
  t.is(reader.counters.read()['post-refused:unrequested'], 1);
});

test('a clock that runs half an hour fast only delays its posts', async (t) => {
  const set = await scene(t);
  const early = signedPost(set.author.identity, 'early', set.world.clock.now() + 30 * MINUTE_MS);
  set.author.answer = (
    message,
    body: { log?: string; authors: { author: string; since: number }[]; ids_only?: boolean },
  ) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    const since = body.log === LOG ? (body.authors.find(({ author }) => author === set.author.id)?.since ?? 0) : 0;
    const posts = since === 0 && body.ids_only !== true ? [early] : [];
    return {
      log: LOG,
      posts,
      deletes: [],
      cursors: posts.length > 0 ? [{ author: set.author.id, since: 1 }] : [],
      more: false,
    };
  };
  await set.world.connect(set.reader, set.author);
  await set.world.clock.advance(500);
  t.deepEqual(await set.reader.texts(), []);
  await set.world.clock.advance(25 * MINUTE_MS);
  await set.reader.run('sync.now');
  t.deepEqual(await set.reader.texts(), ['early']);
});
