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
const page = contentCommands['feed.list'].text;

test('a page has a line for each post, and says how to go on', (t) => {
  const posts = [{ ...post, author_name: 'Anna' }, post];
  t.is(
    page?.({ posts, next: '7.f' }),
    '2026-01-02 03:04  Anna  hello\n2026-01-02 03:04  abcdef000000  hello\nmore: --cursor 7.f',
  );
});

test('a page without posts says so, and the last page says nothing of more', (t) => {
  t.is(page?.({ posts: [], next: null }), 'no posts');
  t.is(page?.({ posts: [{ ...post, author_name: 'Anna' }], next: null }), '2026-01-02 03:04  Anna  hello');
});

test("nobody's name or text drives the reader's terminal, and a name of nothing is no name", (t) => {
  const hostile = { ...post, author_name: '\u001b[2J\u2028', text: ' one\ntwo\u0007\u2029three ' };
  t.is(page?.({ posts: [hostile], next: null }), '2026-01-02 03:04  [2J  one two three');
  t.is(page?.({ posts: [{ ...post, author_name: '\n' }], next: null }), '2026-01-02 03:04  abcdef000000  hello');
});

test('one peer and one post are singular', (t) => {
  const { text } = contentCommands['sync.now'];
  t.is(text?.({ peers: 1, posts: 1 }), 'asked 1 peer, 1 new post');
  t.is(text?.({ peers: 2, posts: 0 }), 'asked 2 peers, 0 new posts');
});
