import type { PostId } from './post-id.ts';
import type { NodeId, Signer } from '../../kernel/index.ts';
import type { Announcer } from './announce.ts';
import type { PostRef } from './api.ts';
import { contentErrors } from './errors.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { PostStore } from './post-store.ts';
import { composeDelete, composePost } from './publish.ts';
import type { Writer } from './writer.ts';
import { refOf } from './ingest.ts';

/** Own posts get rising timestamps up to this far ahead of the clock, so that a burst keeps its order. */
const AHEAD_MAX_MS = 5_000;

export interface AuthorDeskDeps {
  readonly signer: Signer;
  readonly store: PostStore;
  readonly writer: Writer;
  readonly announcer: Announcer;
  /** The author and its preferred peers of now. */
  nplus10(): Promise<readonly NodeId[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after the commit. */
  stored(post: PostRef): void;
  deleted(record: DeleteRecord): void;
}

/** Where the user's own posts are written and withdrawn. */
export class PostAuthor {
  readonly #deps: AuthorDeskDeps;
  #lastMs = 0;

  constructor(deps: AuthorDeskDeps) {
    this.#deps = deps;
  }

  /** Resolves when the post is on disk; peers are told meanwhile. @throws content/bad-post, store/* */
  async create(text: string): Promise<PostId> {
    const { signer, store, writer, announcer } = this.#deps;
    const nplus10 = await this.#deps.nplus10();
    const post = composePost(signer, text, this.#timestamp(), nplus10);
    await writer.one(() => store.insert([post]));
    this.#deps.stored(refOf(post));
    announcer.announce({ post });
    return post.id;
  }

  /** @throws content/no-such-post, content/not-author, store/* */
  async remove(id: PostId): Promise<void> {
    const { signer, store, writer, announcer } = this.#deps;
    const author = store.authorOf(id);
    if (author === undefined) throw contentErrors.make('no-such-post', { id });
    if (author !== signer.self.nodeId) throw contentErrors.make('not-author', { id });
    const record = composeDelete(signer, id, this.#deps.now());
    const { isNew } = await writer.one(() => store.bury(record));
    // Two calls at once: the other one has told everybody.
    if (!isNew) return;
    this.#deps.deleted(record);
    announcer.announce({ deleted: record });
  }

  #timestamp(): number {
    const now = this.#deps.now();
    const ahead = this.#lastMs - now;
    this.#lastMs = ahead >= 0 && ahead < AHEAD_MAX_MS ? this.#lastMs + 1 : now;
    return this.#lastMs;
  }
}
