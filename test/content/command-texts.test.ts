import test from 'ava';
import { contentCommands } from '../../plugins/content/commands.ts';

/** What people read at the command line. */

const post = {
  id: '1'.repeat(64),
  author: `abcdef${'0'.repeat(58)}`,
  timestamp_ms: Date.UTC(2026, 0, 2, 3, 4, 5),
  text: 'hello',
  visibility: 'public',
};
const { text } = contentCommands['feed.list'];
const page = (posts: (typeof post & { author_name?: string })[], next: string | null = null, wide = false) =>
  text?.({ posts, next }, { wide });
const SHORT = '1'.repeat(10);

test('a page has a line for each post, and says how to go on', (t) => {
  const posts = [{ ...post, author_name: 'Anna' }, post];
  t.is(
    page(posts, '7.f'),
    `${SHORT}  2026-01-02 03:04  Anna  hello\n${SHORT}  2026-01-02 03:04  abcdef0000  hello\nmore: --cursor 7.f`,
  );
});

test('a page without posts says so, and the last page says nothing of more', (t) => {
  t.is(page([]), 'no posts');
  t.is(page([{ ...post, author_name: 'Anna' }]), `${SHORT}  2026-01-02 03:04  Anna  hello`);
});

test('a file or a program gets whole ids', (t) => {
  t.is(page([post], null, true), `${post.id}  2026-01-02 03:04  ${post.author}  hello`);
});

test("nobody's name or text drives the reader's terminal, and a name of nothing is no name", (t) => {
  const hostile = { ...post, author_name: 'A\u001b[2Jn\u2028n', text: ' one\ntwo\u0007\u2029three ' };
  t.is(page([hostile]), `${SHORT}  2026-01-02 03:04  An n  one two three`);
  t.is(page([{ ...post, author_name: '\n' }]), `${SHORT}  2026-01-02 03:04  abcdef0000  hello`);
});

test('one peer and one post are singular', (t) => {
  const sync = ({ peers, posts }: { peers: number; posts: number }) =>
    contentCommands['sync.now'].text?.({ peers, posts }, { wide: false });
  t.is(sync({ peers: 1, posts: 1 }), 'asked 1 peer, 1 new post');
  t.is(sync({ peers: 2, posts: 0 }), 'asked 2 peers, 0 new posts');
});
