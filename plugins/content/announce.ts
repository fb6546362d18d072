import { codeOf } from '../../kernel/index.ts';
import type { AnyMessage, BodyOf, NodeId } from '../../kernel/index.ts';
import { deleteRecord, INLINE_POST_MAX_BYTES, postNotification } from './api.ts';
import type { Contacts } from './contacts.ts';
import type { ContentContext } from './context.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { SyncPost } from './post.ts';

/** Records being told at a time; beyond it one is left to pull sync and counted. */
const UNDER_WAY_MAX = 4_096;

/** A record on its way to the peers, as a snapshot names it. */
export type Announcement = { readonly post: SyncPost } | { readonly deleted: DeleteRecord };

/**
 * Tells connected peers of what the user wrote or deleted, at once and without waiting for them
 * (SYNC-09). Who misses it learns it by pull; what a swap interrupts, the next generation tells again.
 */
export class Announcer {
  readonly #ctx: ContentContext;
  readonly #contacts: Contacts;
  readonly #underWay = new Set<Announcement>();

  constructor(ctx: ContentContext, contacts: Contacts) {
    this.#ctx = ctx;
    this.#contacts = contacts;
  }

  get underWay(): Announcement[] {
    return [...this.#underWay];
  }

  announce(announcement: Announcement): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#ctx.counters.add('announcement-dropped');
      return;
    }
    this.#underWay.add(announcement);
    void this.#tell(announcement).finally(() => {
      // After an abort it stays, for a snapshot that is still to be taken.
      if (!this.#ctx.signal.aborted) this.#underWay.delete(announcement);
    });
  }

  async #tell(announcement: Announcement): Promise<void> {
    try {
      if ('post' in announcement) {
        await this.#send(await this.#contacts.connectedContacts(), postNotification, noticeOf(announcement.post));
      } else {
        await this.#send(await this.#contacts.connected(), deleteRecord, { ...announcement.deleted });
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #send<M extends AnyMessage>(peers: readonly NodeId[], message: M, body: BodyOf<M>): Promise<void> {
    const { signal } = this.#ctx;
    await Promise.all(peers.map((peer) => this.#ctx.send(peer, message, body, { signal }).catch((error) => this.#failed(error))));
  }

  #failed(error: unknown): void {
    if (!this.#ctx.signal.aborted) this.#ctx.counters.add(`announcement-failed:${codeOf(error)}`);
  }
}

function noticeOf(post: SyncPost): BodyOf<typeof postNotification> {
  const { author, timestamp_ms, content } = post.post;
  const notice = { post_id: post.id, author, timestamp_ms };
  return Buffer.byteLength(content) <= INLINE_POST_MAX_BYTES ? { ...notice, post } : notice;
}
