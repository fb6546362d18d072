import type { PostId } from './post-id.ts';
import type { BodyOf, NodeId, ResponseOf } from '../../kernel/index.ts';
import { PULL_ENTRIES_MAX, PULL_PAGE_BYTES } from './api.ts';
import type { postFetch, pullSync } from './api.ts';
import type { AuthorLog } from './author-log.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { PostStore } from './post-store.ts';
import type { SyncPost } from './post.ts';

type PullRequest = BodyOf<typeof pullSync>;
type PullPage = ResponseOf<typeof pullSync>;

/** Rows read at a time: 32 of the largest posts are 4 MiB, which is as much as we want in memory at once. */
const READ_ROWS = 32;

/**
 * The answering side of sync. It filters before it sends (SYNC-07): what a requester may not see does
 * not show in entries, markers or counts.
 */
export class SyncResponder {
  readonly #store: PostStore;
  readonly #log: AuthorLog;
  readonly #pageEntries: number;

  constructor(store: PostStore, log: AuthorLog, pageEntries: number) {
    this.#store = store;
    this.#log = log;
    this.#pageEntries = Math.min(pageEntries, PULL_ENTRIES_MAX);
  }

  pull(request: PullRequest): PullPage {
    return request.wanted === undefined ? this.#page(request) : this.#pick(request.wanted);
  }

  fetch(id: PostId): ResponseOf<typeof postFetch> {
    const post = this.#store.get(id);
    return post !== undefined && mayServe(post) ? { found: true, post } : { found: false };
  }

  #page(request: PullRequest): PullPage {
    const idsOnly = request.ids_only === true;
    const sameLog = request.log === this.#log.id;
    const posts: SyncPost[] = [];
    const ids: { author: NodeId; id: PostId }[] = [];
    const deletes: DeleteRecord[] = [];
    const cursors: { author: NodeId; since: number }[] = [];
    let entries = 0;
    let bytes = 0;
    let more = false;
    for (const asked of request.authors) {
      const { author } = asked;
      const start = sameLog ? asked.since : 0;
      let since = start;
      while (!more) {
        const limit = idsOnly ? this.#pageEntries + 1 : READ_ROWS;
        const rows = this.#log.read(author, since, limit, idsOnly);
        for (const row of rows) {
          more = entries === this.#pageEntries || (entries > 0 && bytes + row.bytes > PULL_PAGE_BYTES);
          if (more) break;
          entries += 1;
          bytes += row.bytes;
          since = row.seq;
          if ('deleted' in row) deletes.push(row.deleted);
          else if ('id' in row) ids.push({ author, id: row.id });
          else if (mayServe(row.post)) posts.push(row.post);
        }
        if (rows.length < limit) break;
      }
      if (since > start) cursors.push({ author, since });
      if (more) break;
    }
    return { log: this.#log.id, posts, ...(idsOnly ? { ids } : {}), deletes, cursors, more };
  }

  /** Posts by id up to the size of a page; who asked for more than came asks again. */
  #pick(wanted: readonly PostId[]): PullPage {
    const posts: SyncPost[] = [];
    let bytes = 0;
    let more = false;
    for (const id of wanted) {
      const post = this.#store.get(id);
      if (post === undefined || !mayServe(post)) continue;
      bytes += Buffer.byteLength(post.post.content) + 1_024;
      more = posts.length > 0 && bytes > PULL_PAGE_BYTES;
      if (more) break;
      posts.push(post);
    }
    return { log: this.#log.id, posts, deletes: [], cursors: [], more };
  }
}

/** Public posts are for everybody; nothing else is stored yet, and what comes must state its own rule here. */
function mayServe(post: SyncPost): boolean {
  return post.visibility.kind === 'public';
}
