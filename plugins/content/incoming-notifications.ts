import type { PostId } from './post-id.ts';
import { codeOf } from '../../kernel/index.ts';
import type { BodyOf, IncomingCall, NodeId } from '../../kernel/index.ts';
import { postFetch } from './api.ts';
import type { deleteRecord, postNotification } from './api.ts';
import type { Contacts } from './contacts.ts';
import type { ContentContext } from './context.ts';
import type { Ingest } from './ingest.ts';
import type { PostBudget } from './post-budget.ts';
import type { PostStore } from './post-store.ts';
import { isRecord } from './post.ts';
import type { Sync } from './sync.ts';

/** Posts being fetched at a time; beyond it a notice is left to pull sync and counted. */
const FETCHES_MAX = 256;

/** What peers push to us: new posts and delete records. Handlers end when the record is on disk. */
export class IncomingNotifications {
  readonly #ctx: ContentContext;
  readonly #contacts: Contacts;
  readonly #store: PostStore;
  readonly #budget: PostBudget;
  readonly #ingest: Ingest;
  readonly #sync: Sync;
  readonly #fetching = new Set<PostId>();

  constructor(deps: {
    ctx: ContentContext;
    contacts: Contacts;
    store: PostStore;
    budget: PostBudget;
    ingest: Ingest;
    sync: Sync;
  }) {
    this.#ctx = deps.ctx;
    this.#contacts = deps.contacts;
    this.#store = deps.store;
    this.#budget = deps.budget;
    this.#ingest = deps.ingest;
    this.#sync = deps.sync;
  }

  async posted(notice: BodyOf<typeof postNotification>, call: IncomingCall): Promise<void> {
    const { post_id: id, author } = notice;
    if (!this.#contacts.isKept(author)) return this.#ctx.counters.add('notice-unwanted');
    if (notice.behind === true && this.#contacts.isFollowed(call.peer.nodeId))
      void this.#sync.request(call.peer.nodeId);
    if (this.#store.has(id)) return this.#ctx.counters.add('post-known');
    if (this.#budget.refusal(author, notice.timestamp_ms) !== undefined) {
      return this.#ctx.counters.add('notice-over-budget');
    }
    const post = notice.post ?? (await this.#fetch(id, call));
    if (post === undefined) return;
    if (!isRecord(post) || post.id !== id) return this.#ctx.counters.add('post-refused:unrequested');
    await this.#ingest.posts([post], 'push', (other) => other === author, call.signal);
  }

  async deleted(record: BodyOf<typeof deleteRecord>, call: IncomingCall): Promise<void> {
    await this.#ingest.deletes([record], (author) => this.#contacts.isKept(author), call.signal);
  }

  async #fetch(id: PostId, call: IncomingCall): Promise<unknown> {
    if (this.#fetching.has(id)) return undefined;
    if (this.#fetching.size >= FETCHES_MAX) return this.#leaveToPull(call.peer.nodeId, 'too-many');
    this.#fetching.add(id);
    try {
      const answer = await this.#ctx.send(call.peer, postFetch, { post_id: id }, { signal: call.signal });
      return answer.found ? answer.post : undefined;
    } catch (error) {
      return this.#leaveToPull(call.peer.nodeId, codeOf(error));
    } finally {
      this.#fetching.delete(id);
    }
  }

  #leaveToPull(peer: NodeId, why: string): undefined {
    this.#ctx.counters.add(`fetch-failed:${why}`);
    if (this.#contacts.isFollowed(peer)) void this.#sync.request(peer);
    return undefined;
  }
}
