import { isFuture } from '../../kernel/index.ts';
import type { Counters, NodeId } from '../../kernel/index.ts';
import type { PostOrigin, PostRef } from './api.ts';
import { deleteRecords } from './delete-record.ts';
import type { DeleteRecord, DeleteRefusal } from './delete-record.ts';
import type { PostBudget } from './post-budget.ts';
import type { PostStore } from './post-store.ts';
import type { SyncPost } from './post.ts';
import { verifyPost } from './verify-post.ts';
import type { Writer } from './writer.ts';

/**
 * Records checked at a time. Their hashes and JSON take about a millisecond of the loop; their
 * signatures go to the thread pool together.
 */
const CHUNK = 64;
/** A post further ahead than this is no clock that runs fast: its author's marker moves on past it. */
const FUTURE_RETRY_MS = 24 * 3_600_000;

export interface IngestDeps {
  readonly store: PostStore;
  readonly budget: PostBudget;
  readonly writer: Writer;
  readonly counters: Counters;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after the commit: with how many posts made room for others. */
  evicted(count: number): void;
  /** Called after the commit. */
  stored(posts: readonly PostRef[], origin: PostOrigin): void;
  deleted(record: DeleteRecord, hadPost: boolean): void;
}

export interface PostReport {
  stored: number;
  refused: number;
  /** Authors of posts that are refused now and will be acceptable within a day. */
  readonly early: Set<NodeId>;
  /** Authors who added all that they may in a day: theirs are refused until tomorrow. */
  readonly spent: Set<NodeId>;
}

/** Refusals that are no fault of who sent the record. */
const FAULTLESS = ['known', 'over-budget', 'made-room', 'irrelevant'];

/**
 * The only way into the store for posts and delete records of others: form, author, tombstone, time, id
 * and signature are checked, cheapest first, before anything is stored (SYNC-12). What is refused is
 * counted by its reason and costs the rest of its batch nothing.
 */
export class Ingest {
  readonly #deps: IngestDeps;

  constructor(deps: IngestDeps) {
    this.#deps = deps;
  }

  /**
   * Takes posts in; resolves when the good ones are on disk. `wanted` says whose posts were asked for.
   * @throws what the disk throws, or `signal`'s reason; then part of the batch may be stored.
   */
  async posts(
    values: readonly unknown[],
    origin: PostOrigin,
    wanted: (author: NodeId) => boolean,
    signal: AbortSignal,
  ): Promise<PostReport> {
    const report: PostReport = { stored: 0, refused: 0, early: new Set(), spent: new Set() };
    const commits: Promise<void>[] = [];
    try {
      for (let at = 0; at < values.length; at += CHUNK) {
        const checked = await Promise.all(
          values.slice(at, at + CHUNK).map((value) => this.#check(value, wanted, report)),
        );
        signal.throwIfAborted();
        const good = checked.filter((entry) => entry !== undefined);
        if (good.length > 0) commits.push(this.#store(good, origin, report));
      }
    } finally {
      await Promise.allSettled(commits);
    }
    await Promise.all(commits);
    return report;
  }

  /**
   * Takes delete records in. `relevant` says whose are kept though we do not hold their post. Returns how many no
   * honest peer would have sent.
   */
  async deletes(
    values: readonly unknown[],
    relevant: (author: NodeId) => boolean,
    signal: AbortSignal,
  ): Promise<number> {
    let refused = 0;
    for (let at = 0; at < values.length; at += CHUNK) {
      const taken = await Promise.all(values.slice(at, at + CHUNK).map((value) => this.#delete(value, relevant)));
      refused += taken.filter((fair) => !fair).length;
      signal.throwIfAborted();
    }
    return refused;
  }

  async #check(value: unknown, wanted: (author: NodeId) => boolean, report: PostReport): Promise<SyncPost | undefined> {
    const { store, budget, counters, now } = this.#deps;
    const nowMs = now();
    const verified = await verifyPost(value, {
      nowMs,
      skip: ({ id, post: { author, timestamp_ms } }) => {
        if (!wanted(author)) return 'unrequested';
        if (store.has(id)) return 'known';
        if (store.isDeleted(id, author)) return 'deleted';
        const refusal = budget.refusal(author, timestamp_ms);
        if (refusal === 'over-budget') report.spent.add(author);
        if (refusal !== undefined) return refusal;
        if (isFuture(timestamp_ms, nowMs) && timestamp_ms - nowMs < FUTURE_RETRY_MS) report.early.add(author);
        return undefined;
      },
    });
    if (!('refused' in verified)) return verified.post;
    if (!FAULTLESS.includes(verified.refused)) report.refused += 1;
    counters.add(verified.refused === 'known' ? 'post-known' : `post-refused:${verified.refused}`);
    return undefined;
  }

  async #store(good: readonly SyncPost[], origin: PostOrigin, report: PostReport): Promise<void> {
    const { store, budget, writer } = this.#deps;
    let evicted = 0;
    const insert = (): SyncPost[] =>
      store.insert(good, (bytesByAuthor) => {
        evicted = budget.charge(bytesByAuthor);
      });
    const stored = await (good.length === 1 ? writer.one(insert) : writer.bulk(insert));
    report.stored += stored.length;
    if (evicted > 0) this.#deps.evicted(evicted);
    if (stored.length > 0) this.#deps.stored(stored.map(refOf), origin);
  }

  /** False when no honest peer would have sent it. */
  async #delete(value: unknown, relevant: (author: NodeId) => boolean): Promise<boolean> {
    const { store, writer, counters, now } = this.#deps;
    const verified = await deleteRecords.verifyAsync<'known' | DeleteRefusal>(value, {
      nowMs: now(),
      skip: ({ post_id, author }) => {
        if (store.isDeleted(post_id, author)) return 'known';
        const holder = store.authorOf(post_id);
        if (holder !== undefined) return holder === author ? undefined : 'not-author';
        return relevant(author) ? undefined : 'irrelevant';
      },
    });
    if ('refused' in verified) {
      counters.add(verified.refused === 'known' ? 'delete-known' : `delete-refused:${verified.refused}`);
      return FAULTLESS.includes(verified.refused);
    }
    const { isNew, deleted } = await writer.one(() => store.bury(verified.record));
    if (isNew) this.#deps.deleted(verified.record, deleted);
    return true;
  }
}

export function refOf(post: SyncPost): PostRef {
  return { id: post.id, author: post.post.author, timestampMs: post.post.timestamp_ms };
}
