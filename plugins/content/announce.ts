import { canonicalJson, codeOf, ItsgoinError, wireCode } from '../../kernel/index.ts';
import type { BodyOf, NodeId } from '../../kernel/index.ts';
import { deleteRecord, INLINE_POST_MAX_BYTES, postNotification } from './api.ts';
import type { Contacts } from './contacts.ts';
import type { ContentContext } from './context.ts';
import type { DeleteRecord } from './delete-record.ts';
import type { SyncPost } from './post.ts';

/** Records whose recipients are still being looked up or sent to; beyond it they are left to pull sync and counted. */
const UNDER_WAY_MAX = 4_096;
/** Notices a peer has not taken yet, and notices to it in a second; below what its budget for us allows. */
const LANE_IN_FLIGHT_MAX = 128;
const LANE_PER_SECOND = 1_400;
const WINDOW_MS = 1_000;
const FLUSH_MS = 200;

/** A record on its way to the peers, as a snapshot names it. */
export type Announcement =
  | {
      readonly post: SyncPost;
      /** Others before it were not told one by one: the receiver had better pull. */
      readonly behind?: boolean;
    }
  | { readonly deleted: DeleteRecord };

type Notice = BodyOf<typeof postNotification>;

/** What one peer is being told. */
interface Lane {
  inFlight: number;
  windowStartMs: number;
  sentInWindow: number;
  /** The newest post that found the lane full. */
  behind: SyncPost | undefined;
  /** One that it is being told of by now. */
  catchingUp: SyncPost | undefined;
}

/**
 * Tells connected peers of what the user wrote or deleted, at once and without waiting for them
 * (SYNC-09). A peer that cannot keep up is told of the newest post only, and that it is behind. Who
 * misses even that learns it by the next pull; what a swap interrupts, the next generation tells again.
 */
export class Announcer {
  readonly #ctx: ContentContext;
  readonly #contacts: Contacts;
  readonly #underWay = new Set<Announcement>();
  /** By connected contact; idle ones are dropped after a second. */
  readonly #lanes = new Map<NodeId, Lane>();
  #flushing = false;

  constructor(ctx: ContentContext, contacts: Contacts) {
    this.#ctx = ctx;
    this.#contacts = contacts;
  }

  /** What a next generation has to tell again. */
  get underWay(): Announcement[] {
    const behind = [...this.#lanes.values()].flatMap((lane) => lane.behind ?? lane.catchingUp ?? []);
    const posts = new Map(behind.map((post) => [post.id, post]));
    return [...this.#underWay, ...[...posts.values()].map((post) => ({ post, behind: true }))];
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

  /** A few times a second as long as somebody is being told, so that an idle node sleeps. */
  async #flushLanes(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    const { clock, signal } = this.#ctx;
    try {
      for (; this.#lanes.size > 0 && !signal.aborted; this.#flush()) await clock.sleep(FLUSH_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#flushing = false;
    }
  }

  /** Tells those who fell behind, as far as they can take it now. */
  #flush(): void {
    const nowMs = this.#ctx.clock.monotonic();
    for (const [peer, lane] of this.#lanes) {
      const post = lane.behind;
      if (post !== undefined && hasRoom(lane, nowMs)) {
        lane.behind = undefined;
        lane.catchingUp = post;
        void this.#notify(peer, post, noticeOf(post, true)).finally(() => {
          // After an abort it stays, for a snapshot that is still to be taken.
          if (lane.catchingUp === post && !this.#ctx.signal.aborted) lane.catchingUp = undefined;
        });
      } else if (lane.inFlight === 0 && nowMs - lane.windowStartMs >= WINDOW_MS) {
        this.#lanes.delete(peer);
      }
    }
  }

  async #tell(announcement: Announcement): Promise<void> {
    try {
      if ('post' in announcement) {
        const { post, behind = false } = announcement;
        const peers = await this.#contacts.connectedContacts();
        const notice = noticeOf(post, behind);
        await Promise.all(peers.map((peer) => this.#notify(peer, post, notice)));
      } else {
        const { signal } = this.#ctx;
        const body = Object.freeze({ ...announcement.deleted });
        const peers = await this.#contacts.connected();
        await Promise.all(
          peers.map((peer) =>
            this.#ctx.send(peer, deleteRecord, body, { signal }).catch((error) => this.#failed(error)),
          ),
        );
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #notify(peer: NodeId, post: SyncPost, notice: Notice): Promise<void> {
    const { signal, clock, counters } = this.#ctx;
    const lane = this.#lane(peer);
    if (!hasRoom(lane, clock.monotonic())) {
      lane.behind = post;
      counters.add('announcement-bundled');
      return;
    }
    lane.inFlight += 1;
    lane.sentInWindow += 1;
    try {
      await this.#ctx.send(peer, postNotification, notice, { signal });
    } catch (error) {
      this.#failed(error);
      // A peer that is gone pulls when it comes back.
      if (error instanceof ItsgoinError && error.retryable && error.code !== wireCode('not-connected'))
        lane.behind ??= post;
    } finally {
      lane.inFlight -= 1;
    }
  }

  #lane(peer: NodeId): Lane {
    let lane = this.#lanes.get(peer);
    if (lane === undefined) {
      lane = {
        inFlight: 0,
        windowStartMs: this.#ctx.clock.monotonic(),
        sentInWindow: 0,
        behind: undefined,
        catchingUp: undefined,
      };
      this.#lanes.set(peer, lane);
      void this.#flushLanes();
    }
    return lane;
  }

  #failed(error: unknown): void {
    if (!this.#ctx.signal.aborted) this.#ctx.counters.add(`announcement-failed:${codeOf(error)}`);
  }
}

function hasRoom(lane: Lane, nowMs: number): boolean {
  if (nowMs - lane.windowStartMs >= WINDOW_MS) {
    lane.windowStartMs = nowMs;
    lane.sentInWindow = 0;
  }
  return lane.inFlight < LANE_IN_FLIGHT_MAX && lane.sentInWindow < LANE_PER_SECOND;
}

/** Frozen, so that it is encoded once for all who are told. */
function noticeOf(post: SyncPost, behind: boolean): Notice {
  const { author, timestamp_ms } = post.post;
  const notice = { post_id: post.id, author, timestamp_ms, ...(behind ? { behind } : {}) };
  const inline = Buffer.byteLength(canonicalJson(post.post)) <= INLINE_POST_MAX_BYTES;
  return Object.freeze(inline ? { ...notice, post } : notice);
}
