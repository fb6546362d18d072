import test from 'ava';
import type { ExecutionContext } from 'ava';
import { PULL_PAGE_BYTES, pullSync } from '../../plugins/content/api.ts';
import type { SyncPost } from '../../plugins/content/post.ts';
import type { PostId } from '../../plugins/content/post-id.ts';
import { World } from './world.ts';
import type { TestNode } from './world.ts';

interface Page {
  readonly log: string;
  readonly posts: readonly SyncPost[];
  readonly ids?: readonly { readonly author: string; readonly id: string }[];
  readonly deletes: readonly { readonly post_id: string }[];
  readonly cursors: readonly { readonly author: string; readonly since: number }[];
  readonly more: boolean;
}

interface Scene {
  readonly author: TestNode;
  post(text: string): Promise<PostId>;
  ask(request: object): Promise<Page>;
}

/** An author of whom a stranger asks pages of at most `pullPageEntries`. */
async function scene(t: ExecutionContext, pullPageEntries = 500): Promise<Scene> {
  const world = new World(t);
  const [author, stranger] = [await world.node('author', { pullPageEntries }), await world.node('stranger')];
  return {
    author,
    async post(text) {
      const { id } = (await author.run('post.create', { text })) as { id: PostId };
      return id;
    },
    ask: (request) => world.clock.until(author.receive(stranger, pullSync, request)) as Promise<Page>,
  };
}

const texts = ({ posts }: Page): string[] => posts.map(({ post }) => post.content);

for (const ids_only of [false, true]) {
  test(`a page ends at its number of entries, and only then says that there is more (${ids_only ? 'ids' : 'posts'})`, async (t) => {
    const { author, post, ask } = await scene(t, 3);
    const known: string[] = [];
    const count = (page: Page): number => (ids_only ? (page.ids?.length ?? 0) : page.posts.length);
    const askFrom = (since: number, log?: string): Promise<Page> =>
      ask({ authors: [{ author: author.id, since }], ids_only, ...(log === undefined ? {} : { log }) });
    for (const text of ['1', '2', '3']) known.push(await post(text));
    const whole = await askFrom(0);
    t.is(count(whole), 3);
    t.false(whole.more);
    known.push(await post('4'));
    const first = await askFrom(0);
    t.is(count(first), 3);
    t.true(first.more);
    const { since } = first.cursors[0] ?? { since: 0 };
    const second = await askFrom(since, first.log);
    t.is(count(second), 1);
    t.false(second.more);
    const told = [first, second].flatMap(({ posts, ids = [] }) => [...posts, ...ids].map(({ id }) => id));
    t.deepEqual(told.toSorted(), known.toSorted());
  });
}

test('a marker of another log is not believed, and one at the end moves nowhere', async (t) => {
  const { author, post, ask } = await scene(t);
  await post('one');
  const { log, cursors } = await ask({ authors: [{ author: author.id, since: 0 }] });
  const { since } = cursors[0] ?? { since: 0 };
  const again = await ask({ authors: [{ author: author.id, since }], log });
  t.deepEqual([again.posts, again.cursors], [[], []]);
  t.deepEqual(texts(await ask({ authors: [{ author: author.id, since }], log: 'f'.repeat(32) })), ['one']);
  t.deepEqual(texts(await ask({ authors: [{ author: author.id, since }] })), ['one']);
});

test('whole posts fill a page up to its bytes, delete records count as entries', async (t) => {
  const { author, post, ask } = await scene(t);
  const large = 'x'.repeat(60_000);
  const fit = Math.floor(PULL_PAGE_BYTES / 60_700);
  for (let n = 0; n < fit + 2; n++) await post(`${large}${n}`);
  const gone = await post('gone');
  await author.run('post.delete', { id: gone });
  const first = await ask({ authors: [{ author: author.id, since: 0 }] });
  t.true(first.more);
  t.true(Math.abs(first.posts.length - fit) <= 1, `${first.posts.length} of ${fit}`);
  t.true(Buffer.byteLength(JSON.stringify(first)) <= PULL_PAGE_BYTES);
  const rest = await ask({ authors: first.cursors, log: first.log });
  t.is(first.posts.length + rest.posts.length, fit + 2);
  t.deepEqual(
    rest.deletes.map(({ post_id }) => post_id),
    [gone],
  );
  t.false(rest.more);
});

test('wanted posts come in the order they were asked for, up to the bytes of a page; what is not here is left out', async (t) => {
  const { post, ask } = await scene(t);
  const small = [await post('a'), await post('b')];
  const page = await ask({ authors: [], wanted: [small[1], '0'.repeat(64), small[0]] });
  t.deepEqual(texts(page), ['b', 'a']);
  t.false(page.more);
  t.is(page.ids, undefined);
  const large: string[] = [];
  while (large.length * 60_000 < 2 * PULL_PAGE_BYTES) large.push(await post(`${'x'.repeat(60_000)}${large.length}`));
  const first = await ask({ authors: [], wanted: large });
  t.true(first.more);
  t.true(first.posts.length > 1);
  t.true(Buffer.byteLength(JSON.stringify(first)) <= PULL_PAGE_BYTES);
  t.deepEqual(
    first.posts.map(({ id }) => id as string),
    large.slice(0, first.posts.length),
  );
});
