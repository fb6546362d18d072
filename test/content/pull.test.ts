import test from 'ava';
import type { ExecutionContext } from 'ava';
import { wireErrors } from '../../kernel/wire/errors.ts';
import type { PostId } from '../../plugins/content/post-id.ts';
import { composeDelete } from '../../plugins/content/publish.ts';
import { signedPost, World } from './world.ts';
import type { TestNode } from './world.ts';

const LOG = 'a'.repeat(32);
const EMPTY = { log: LOG, posts: [], deletes: [], cursors: [], more: false };

interface Request {
  readonly log?: string;
  readonly wanted?: readonly string[];
  readonly ids_only?: boolean;
  readonly authors: readonly { readonly author: string; readonly since: number }[];
}

/** A reader who follows an author, whose pages the test writes. */
async function scene(
  t: ExecutionContext,
  page: (request: Request, author: TestNode) => object,
): Promise<{ world: World; reader: TestNode; author: TestNode; requests: Request[] }> {
  const world = new World(t);
  const [reader, author] = [await world.node('reader'), await world.node('author')];
  await reader.follow(author);
  const requests: Request[] = [];
  author.answer = (message, request: Request) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    requests.push(request);
    return { ...EMPTY, ...page(request, author) };
  };
  return { world, reader, author, requests };
}

for (const [name, markers] of Object.entries({
  'repeats its marker': [1, 1, 1, 1],
  'moves its marker back': [5, 4, 5, 4],
  'stays at the start': [0, 0, 0, 0],
})) {
  test(`a peer that ${name} while it says that more follows is cut off`, async (t) => {
    let pages = 0;
    const { world, reader, author } = await scene(t, (_request, { id, identity }) => {
      const since = markers[pages++ % markers.length];
      const posts = [signedPost(identity, `${pages}`, world.clock.now() - pages)];
      return { posts, cursors: [{ author: id, since }], more: true };
    });
    await world.connect(reader, author);
    await world.clock.advance(1_000);
    t.is(reader.counters.read()['pull-failed:content/misled'], 1);
    t.true(pages <= 3, `${pages} pages`);
  });
}

test('ids that the peer does not have any more end in one question for them, not in one after the other', async (t) => {
  const ids = ['1', '2', '3'].map((digit) => digit.repeat(64) as PostId);
  const { world, reader, author, requests } = await scene(t, ({ ids_only }, { id }) =>
    ids_only === true ? { ids: ids.map((each) => ({ author: id, id: each })) } : {},
  );
  const friend = await world.node('friend');
  await reader.follow(friend);
  friend.answer = author.answer;
  await world.connect(reader, friend);
  await world.clock.advance(10_000);
  t.deepEqual(
    requests.flatMap(({ wanted }) => (wanted === undefined ? [] : [wanted])),
    [ids],
  );
  t.deepEqual(reader.figures().pulling, []);
});

for (const [name, more, questions] of [
  ['and says that more follows is asked for the rest', true, 3],
  ['and says that it is all is not asked again', false, 1],
] as const) {
  test(`a peer that brings one of three wanted posts ${name}`, async (t) => {
    const world = new World(t);
    const [reader, author, friend] = [
      await world.node('reader'),
      await world.node('author'),
      await world.node('friend'),
    ];
    for (const node of [author, friend]) await reader.follow(node);
    const posts = ['one', 'two', 'three'].map((text, n) => signedPost(author.identity, text, 3_000 - n));
    const wanted: (readonly string[])[] = [];
    friend.answer = (message, request: Request) => {
      if (message.name !== 'PullSyncRequest') return undefined;
      if (request.ids_only === true) return { ...EMPTY, ids: posts.map(({ id }) => ({ author: author.id, id })) };
      if (request.wanted === undefined) return EMPTY;
      wanted.push(request.wanted);
      return { ...EMPTY, posts: posts.filter(({ id }) => id === request.wanted?.[0]), more };
    };
    await world.connect(reader, friend);
    await world.clock.advance(1_000);
    t.is(wanted.length, questions);
    t.deepEqual(await reader.texts(), ['one', 'two', 'three'].slice(0, questions));
  });
}

test("the user's own posts come back from a followed peer that holds them", async (t) => {
  const world = new World(t);
  const [reader, author] = [await world.node('reader'), await world.node('author')];
  await reader.follow(author);
  const lost = signedPost(reader.identity, 'written on my other device', 1_000);
  author.answer = (message, { authors }: Request) =>
    message.name === 'PullSyncRequest' && authors.some(({ author }) => author === reader.id)
      ? { ...EMPTY, posts: [lost] }
      : undefined;
  await world.connect(reader, author);
  await world.clock.advance(500);
  t.deepEqual(await reader.texts(), ['written on my other device']);
});

test('no more peers than configured are pulled from at a time, and each gets its turn in order', async (t) => {
  const world = new World(t);
  const reader = await world.node('reader', { pullPeers: 1 });
  const friends = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.node(name)));
  const asked: string[] = [];
  for (const friend of friends) {
    friend.answer = (message) => {
      if (message.name !== 'PullSyncRequest') return undefined;
      if (asked.at(-1) !== friend.id) asked.push(friend.id);
      return EMPTY;
    };
    await world.connect(reader, friend);
    reader.follows.add(friend.id);
  }
  t.deepEqual(asked, []);
  await reader.run('sync.now');
  t.deepEqual(
    asked,
    friends.map(({ id }) => id),
  );
});

test('a peer that takes no more questions for now is asked again after a second, another refusal ends the pull', async (t) => {
  let refusals = 2;
  const { world, reader, author, requests } = await scene(t, (_request, { identity }) => {
    if (refusals-- > 0) throw wireErrors.make('rate-limited', { name: 'PullSyncRequest' });
    return { posts: [signedPost(identity, 'at last', world.clock.now())] };
  });
  await world.connect(reader, author);
  await world.clock.advance(1_500);
  t.deepEqual(await reader.texts(), []);
  await world.clock.advance(1_000);
  t.deepEqual(await reader.texts(), ['at last']);
  refusals = 1;
  author.answer = (message) => {
    if (message.name !== 'PullSyncRequest') return undefined;
    requests.length = 0;
    throw wireErrors.make('over-capacity', { name: 'PullSyncRequest' });
  };
  await reader.run('sync.now');
  t.is(reader.counters.read()['pull-failed:wire/over-capacity'], 1);
});

test('markers of a log that is no more are not sent to the new one', async (t) => {
  let log = LOG;
  let since = 7;
  const { world, reader, author, requests } = await scene(t, (_request, { id, identity }) => ({
    log,
    posts: [signedPost(identity, 'one', 1_000)],
    cursors: [{ author: id, since }],
  }));
  await world.connect(reader, author);
  /** What the next pull begins with. */
  const asked = async (): Promise<Request | undefined> => {
    requests.length = 0;
    await reader.run('sync.now');
    return requests.find(({ authors }) => authors[0]?.author === author.id);
  };
  t.like(await asked(), { log: LOG, authors: [{ author: author.id, since: 7 }] });
  log = 'b'.repeat(32);
  since = 3;
  await asked();
  t.like(await asked(), { log, authors: [{ author: author.id, since: 3 }] });
});

test('delete records without form are counted, and those beside them have their effect', async (t) => {
  const { world, reader, author } = await scene(t, (_request, { identity }) => {
    const post = signedPost(identity, 'gone', 1_000);
    const record = composeDelete(identity, post.id, world.clock.now());
    const malformed = [
      7,
      null,
      [record],
      { ...record, post_id: 'x' },
      { ...record, author: undefined },
      { ...record, timestamp_ms: 0 },
      { ...record, timestamp_ms: 1.5 },
      { ...record, signature: 7 },
      { ...record, signature: `${record.signature}00` },
      { ...record, signature: record.signature.toUpperCase() },
    ];
    return { posts: [post], deletes: [...malformed, record] };
  });
  author.extensions = () => [];
  await world.connect(reader, author);
  await world.clock.advance(500);
  t.deepEqual(await reader.texts(), []);
  const counted = reader.counters.read();
  t.is((counted['delete-refused:malformed'] ?? 0) % 10, 0);
  t.true((counted['delete-refused:malformed'] ?? 0) >= 10);
  t.is(counted['delete-refused:forged'], undefined);
  t.true((counted['post-refused:deleted'] ?? 0) >= 1);
});
