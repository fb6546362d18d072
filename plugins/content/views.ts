import type { NodeId } from '../../kernel/index.ts';
import type { PageQuery, PostPage, PostView } from './api.ts';
import type { Contacts } from './contacts.ts';
import { contentErrors } from './errors.ts';
import { formatCursor, parseCursor } from './feed.ts';
import type { Feed } from './feed.ts';
import type { SyncPost } from './post.ts';
import type { PostStore } from './post-store.ts';

/** Posts of one page at most: a page is read in one go. */
export const PAGE_MAX = 200;

/** Pages of posts as commands and other plugins see them. */
export class Views {
  readonly #store: PostStore;
  readonly #feed: Feed;
  readonly #contacts: Contacts;
  readonly #self: NodeId;
  readonly #defaultLimit: number;

  constructor(deps: { store: PostStore; feed: Feed; contacts: Contacts; self: NodeId; defaultLimit: number }) {
    this.#store = deps.store;
    this.#feed = deps.feed;
    this.#contacts = deps.contacts;
    this.#self = deps.self;
    this.#defaultLimit = deps.defaultLimit;
  }

  async feed(query: PageQuery = {}): Promise<PostPage> {
    const follows = await this.#contacts.refresh();
    return this.#page(new Set([this.#self, ...follows]), query);
  }

  list(author: NodeId, query: PageQuery = {}): Promise<PostPage> {
    return this.#page([author], query);
  }

  async view(post: SyncPost): Promise<PostView> {
    const names = await this.#contacts.names([post.post.author]);
    return viewOf(post, names);
  }

  async #page(authors: Iterable<NodeId>, query: PageQuery): Promise<PostPage> {
    const limit = Math.min(query.limit ?? this.#defaultLimit, PAGE_MAX);
    const position = query.cursor === undefined ? undefined : parseCursor(query.cursor);
    if (query.cursor !== undefined && position === undefined) {
      throw contentErrors.make('bad-cursor', { text: query.cursor.slice(0, 80) });
    }
    // One more than asked for, to know whether there is a next page.
    const found = this.#feed.page(authors, limit + 1, position);
    const posts = this.#store.bySeqs(found.slice(0, limit).map(({ seq }) => seq));
    const last = found.length > limit ? found[limit - 1] : undefined;
    const names = await this.#contacts.names(posts.map(({ post }) => post.author));
    return {
      posts: posts.map((post) => viewOf(post, names)),
      next: last === undefined ? null : formatCursor(last),
    };
  }
}

function viewOf({ id, post, visibility }: SyncPost, names: ReadonlyMap<NodeId, string>): PostView {
  const name = names.get(post.author);
  return {
    id,
    author: post.author,
    ...(name === undefined ? {} : { author_name: name }),
    timestamp_ms: post.timestamp_ms,
    text: post.content,
    visibility: visibility.kind,
  };
}
