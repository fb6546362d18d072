import test from 'ava';
import type { ExecutionContext } from 'ava';
import { blake3Hex, canonicalJson } from '../../kernel/index.ts';
import type { PostId, SyncPost } from '../../plugins/content/api.ts';
import { signedPost, testIdentity, World } from './world.ts';
import type { TestNode } from './world.ts';

const MINUTE_MS = 60_000;
const anna = testIdentity('anna');

interface Scene {
  readonly world: World;
  readonly reader: TestNode;
  /** Fetches a post by its id, that of `good` by default, from a stranger who answers with `answer`. */
  fetch(answer: unknown, id?: PostId): Promise<SyncPost | undefined>;
  readonly good: SyncPost;
}

/** Nobody follows anybody: a post is fetched by its id alone, as a search does that was told of a holder. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const world = new World(t);
  const [reader, stranger] = [await world.node('reader'), await world.node('stranger')];
  await world.connect(reader, stranger);
  const good = signedPost(anna, 'good', world.clock.now());
  const fetch = (answer: unknown, id = good.id): Promise<SyncPost | undefined> => {
    stranger.answer = (message) => (message.name === 'PostFetchRequest' ? answer : undefined);
    return reader.service((content) => content.fetch(id, stranger.id));
  };
  return { world, reader, fetch, good };
}

const refusals = ({ reader }: Scene): Record<string, number> =>
  Object.fromEntries(
    Object.entries(reader.counters.read()).filter(([name]) => name.startsWith('fetched-post-refused')),
  );

test('a post fetched by its id is taken, and nothing is stored', async (t) => {
  const { reader, fetch, good } = await scene(t);
  t.deepEqual(await fetch({ found: true, post: good }), good);
  t.is(await fetch({ found: false }), undefined);
  t.deepEqual(await reader.texts(), []);
});

test('a fetched post with the right id and another person’s signature is refused', async (t) => {
  const set = await scene(t);
  const { signature } = signedPost(testIdentity('mallory'), 'good', set.good.post.timestamp_ms);
  t.is(await set.fetch({ found: true, post: { ...set.good, signature } }), undefined);
  t.deepEqual(refusals(set), { 'fetched-post-refused:forged': 1 });
});

test('a fetched post that is altered, another one or none at all is refused', async (t) => {
  const set = await scene(t);
  const { good, world } = set;
  const altered = { ...good.post, content: 'evil' };
  for (const post of [
    { ...good, post: altered },
    { ...good, post: altered, id: blake3Hex(Buffer.from(canonicalJson(altered))) },
    signedPost(testIdentity('mallory'), 'other', world.clock.now()),
    { ...good, post: { ...good.post, content: '\ud800' } },
    7,
    undefined,
  ])
    t.is(await set.fetch({ found: true, post }), undefined);
  t.deepEqual(refusals(set), {
    'fetched-post-refused:bad-id': 1,
    'fetched-post-refused:unrequested': 2,
    'fetched-post-refused:malformed': 3,
  });
});

test('a fetched post from the future is refused', async (t) => {
  const set = await scene(t);
  const early = signedPost(anna, 'tomorrow', set.world.clock.now() + 11 * MINUTE_MS);
  t.is(await set.fetch({ found: true, post: early }, early.id), undefined);
  t.deepEqual(refusals(set), { 'fetched-post-refused:future': 1 });
});
