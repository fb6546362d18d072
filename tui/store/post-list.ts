import type { Backend } from './backend.ts';
import { moveCursor, type ListCursor } from './list-cursor.ts';
import { comparePosts, list, readPost, record, type Post } from './post.ts';
import { isAbsent, problemOf, type Problem } from './problem.ts';
import { createStore, type RedrawPace, type Store } from './store.ts';

const PAGE_POSTS = 50;
/** Posts kept on one screen; older ones are read again when scrolled to after a restart. */
export const POSTS_MAX = 10_000;
/** More is read when the selection comes this close to the end. */
const READ_AHEAD_POSTS = 20;

export interface PostListState {
  readonly posts: readonly Post[];
  readonly selected: number;
  /** Posts that arrived above the selection since it left the top. */
  readonly fresh: number;
  readonly filter: string;
  readonly phase: 'first' | 'ready' | 'more';
  readonly end: boolean;
  /** The plugin that is off, and with it this list. Posts read before stay on the screen. */
  readonly off: string | undefined;
}

export interface PageQuery {
  readonly method: string;
  params(): Record<string, unknown> | undefined;
}

/** Posts of one source, newest first, read page by page and kept fresh at the head. */
export class PostList {
  readonly state: Store<PostListState>;
  readonly cursor: ListCursor;
  #backend: Backend;
  #query: PageQuery;
  #report: (problem: Problem) => void;
  #next: unknown;
  #heading: Promise<void> | undefined;
  #headAgain = false;
  #visibleOf: { posts: readonly Post[]; filter: string; visible: readonly Post[] } | undefined;

  constructor(backend: Backend, pace: RedrawPace, query: PageQuery, report: (problem: Problem) => void) {
    this.#backend = backend;
    this.#query = query;
    this.#report = report;
    this.state = createStore<PostListState>(
      { posts: [], selected: 0, fresh: 0, filter: '', phase: 'first', end: false, off: undefined },
      pace,
    );
    this.cursor = {
      move: (delta) => this.#select(moveCursor(this.state.get().selected, delta, this.visible().length)),
      first: () => this.#select(0),
      last: () => this.#select(this.visible().length - 1),
    };
  }

  /** The posts that pass the filter; the same array as long as nothing changed. */
  visible(): readonly Post[] {
    const { posts, filter } = this.state.get();
    if (this.#visibleOf?.posts !== posts || this.#visibleOf.filter !== filter) {
      this.#visibleOf = {
        posts,
        filter,
        visible: filter === '' ? posts : posts.filter((post) => matches(post, filter)),
      };
    }
    return this.#visibleOf.visible;
  }

  get selected(): Post | undefined {
    return this.visible()[this.state.get().selected];
  }

  find(id: string): Post | undefined {
    return this.state.get().posts.find((post) => post.id === id);
  }

  filter(text: string): void {
    this.state.set({ filter: text.toLowerCase(), selected: 0, fresh: 0 });
  }

  /** Reads the newest page; calls that come meanwhile are answered by one more reading. */
  refresh(): Promise<void> {
    if (this.#heading !== undefined) {
      this.#headAgain = true;
      return this.#heading;
    }
    this.#heading = this.#readHead().finally(() => {
      this.#heading = undefined;
      if (this.#headAgain) {
        this.#headAgain = false;
        void this.refresh();
      }
    });
    return this.#heading;
  }

  remove(id: string): void {
    const { posts, selected } = this.state.get();
    const index = this.visible().findIndex((post) => post.id === id);
    const left = posts.filter((post) => post.id !== id);
    if (left.length === posts.length) return;
    this.state.set({ posts: left });
    const after = index >= 0 && index < selected ? selected - 1 : selected;
    this.state.set({ selected: moveCursor(after, 0, this.visible().length) });
  }

  async #readHead(): Promise<void> {
    const page = await this.#read(undefined);
    if (page === undefined) return;
    const { posts: old, selected } = this.state.get();
    const known = new Set(old.map((post) => post.id));
    const meets = old.length === 0 || page.posts.some((post) => known.has(post.id)) || page.next === undefined;
    const keep = this.selected?.id;
    if (!meets || old.length === 0) {
      // More came than one page holds: what lies between is unknown, so reading starts over from the top.
      this.#next = page.next;
      this.state.set({ posts: page.posts, end: page.next === undefined });
    } else {
      // The page is the whole truth down to its last post: what is missing there was deleted.
      const last = page.posts.at(-1);
      const older =
        page.next === undefined || last === undefined ? [] : old.filter((post) => comparePosts(post, last) > 0);
      const posts = [...page.posts, ...older].slice(0, POSTS_MAX);
      if (page.next === undefined) this.#next = undefined;
      this.state.set({ posts: same(posts, old) ? old : posts, end: page.next === undefined || this.state.get().end });
    }
    const visible = this.visible();
    const found = keep === undefined || selected === 0 ? -1 : visible.findIndex((post) => post.id === keep);
    if (found >= 0) this.state.set({ selected: found, fresh: this.state.get().fresh + Math.max(0, found - selected) });
    else this.state.set({ selected: moveCursor(selected, 0, visible.length) });
    this.state.set({ phase: 'ready' });
  }

  async #readMore(): Promise<void> {
    const { phase, end, posts } = this.state.get();
    if (phase !== 'ready' || end || this.#next === undefined || posts.length >= POSTS_MAX) return;
    this.state.set({ phase: 'more' });
    const cursor = this.#next;
    const page = await this.#read(cursor);
    this.state.set({ phase: 'ready' });
    if (page === undefined || this.#next !== cursor) return;
    this.#next = page.next;
    const known = new Set(this.state.get().posts.map((post) => post.id));
    const added = page.posts.filter((post) => !known.has(post.id));
    this.state.set({ posts: [...this.state.get().posts, ...added].slice(0, POSTS_MAX), end: page.next === undefined });
  }

  async #read(cursor: unknown): Promise<{ posts: Post[]; next: unknown } | undefined> {
    const params = this.#query.params();
    if (params === undefined) return undefined;
    try {
      const page = record(
        await this.#backend.call(this.#query.method, {
          ...params,
          limit: PAGE_POSTS,
          ...(cursor === undefined ? {} : { cursor }),
        }),
      );
      this.state.set({ off: undefined });
      const posts = list(page.posts)
        .map(readPost)
        .filter((post) => post !== undefined)
        .sort(comparePosts);
      return { posts, next: page.next ?? undefined };
    } catch (error) {
      const problem = problemOf(error);
      const off = this.#backend.pluginOff(problem, this.#query.method);
      this.state.set({ off, phase: 'ready' });
      if (off === undefined && !isAbsent(problem)) this.#report(problem);
      return undefined;
    }
  }

  #select(index: number): void {
    this.state.set({ selected: index, ...(index === 0 ? { fresh: 0 } : {}) });
    if (index >= this.visible().length - READ_AHEAD_POSTS) void this.#readMore();
  }
}

function matches(post: Post, filter: string): boolean {
  return (
    post.text.toLowerCase().includes(filter) ||
    (post.authorName ?? '').toLowerCase().includes(filter) ||
    post.author.startsWith(filter)
  );
}

function same(a: readonly Post[], b: readonly Post[]): boolean {
  return (
    a.length === b.length &&
    a.every((post, index) => post.id === b[index]?.id && post.authorName === b[index]?.authorName)
  );
}
