import { defineCommand, idParam, oneLine, Type } from '../../kernel/index.ts';
import type { Static, TextView } from '../../kernel/index.ts';
import { PAGE_MAX } from './views.ts';

const PostView = Type.Object({
  id: Type.String(),
  author: Type.String(),
  author_name: Type.Optional(Type.String()),
  timestamp_ms: Type.Integer(),
  text: Type.String(),
  visibility: Type.String(),
});
const Page = Type.Object({ posts: Type.Array(PostView), next: Type.Union([Type.String(), Type.Null()]) });
const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, description: 'Posts of the page' })),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before' })),
};
const Id = idParam(['post'], 'Post id');

export const contentCommands = {
  'post.create': defineCommand({
    about: 'Publish a post for everybody',
    params: Type.Object({
      text: Type.String({ description: "How's it goin? `-` reads it from standard input", stdin: true }),
    }),
    result: Type.Object({ id: Type.String() }),
    positional: ['text'],
    text: ({ id }) => id,
  }),
  'post.show': defineCommand({
    about: 'Show one stored post',
    params: Type.Object({ id: Id }),
    result: Type.Object({
      ...PostView.properties,
      kind: Type.String(),
      /** The author and its preferred peers when it wrote this. */
      nplus10: Type.Array(Type.String()),
      signature: Type.String(),
    }),
    positional: ['id'],
  }),
  'post.delete': defineCommand({
    about: 'Delete one of your posts, here and wherever it was copied to',
    params: Type.Object({ id: Id }),
    result: Type.Object({ deleted: Type.String() }),
    positional: ['id'],
    confirm: 'A deleted post cannot be brought back. Delete it?',
    text: ({ deleted }) => `deleted ${deleted}`,
  }),
  'post.list': defineCommand({
    about: 'List the posts of one author, newest first',
    params: Type.Object({
      author: Type.Optional(idParam(['node'], 'Node id; your own when absent')),
      ...paging,
    }),
    result: Page,
    text: printPage,
  }),
  'feed.list': defineCommand({
    about: 'List your posts and those of the people you follow, newest first',
    params: Type.Object(paging),
    result: Page,
    text: printPage,
  }),
  'sync.now': defineCommand({
    about: 'Look for missed posts at the connected people you follow',
    params: Type.Object({
      peer: Type.Optional(idParam(['node'], 'Only at this node id')),
    }),
    result: Type.Object({ peers: Type.Integer(), posts: Type.Integer() }),
    text: ({ peers, posts }) =>
      `asked ${peers} ${peers === 1 ? 'peer' : 'peers'}, ${posts} new ${posts === 1 ? 'post' : 'posts'}`,
  }),
};

/** Enough of an id to be given back; among a million posts one in a thousand pages has two that begin alike. */
const SHORT_ID = 10;

function printPage({ posts, next }: Static<typeof Page>, { wide }: TextView): string {
  if (posts.length === 0) return 'no posts';
  const lines = posts.map((post) => {
    const time = new Date(post.timestamp_ms).toISOString().slice(0, 16).replace('T', ' ');
    const id = wide ? post.id : post.id.slice(0, SHORT_ID);
    const author = oneLine(post.author_name ?? '') || (wide ? post.author : post.author.slice(0, SHORT_ID));
    return `${id}  ${time}  ${author}  ${oneLine(post.text)}`;
  });
  return [...lines, ...(next === null ? [] : [`more: --cursor ${next}`])].join('\n');
}
