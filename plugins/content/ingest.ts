import { blake3Hex, hexToBytes, verifySignatureAsync } from '../../kernel/index.ts';
import type { Counters, NodeId } from '../../kernel/index.ts';
import { DELETE_SIGNATURE_DOMAIN, deleteSignatureBytes, readDeleteRecord } from './delete-record.ts';
import type { DeleteRecord, DeleteRefusal } from './delete-record.ts';
import type { PostOrigin, PostRef } from './api.ts';
import type { PostStore } from './post-store.ts';
import { canonicalPost, FUTURE_LIMIT_MS, POST_MAX_BYTES, POST_SIGNATURE_DOMAIN, readSyncPost } from './post.ts';
import type { PostRefusal, SyncPost } from './post.ts';
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
  readonly writer: Writer;
  readonly counters: Counters;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after the commit. */
  stored(posts: readonly PostRef[], origin: PostOrigin): void;
  deleted(record: DeleteRecord, hadPost: boolean): void;
}

export interface PostReport {
  stored: number;
  /** Held already. */
  known: number;
  refused: number;
  /** Authors of posts that are refused now and will be acceptable within a day. */
  readonly early: Set<NodeId>;
}

/**
 * The only way in for posts and delete records of others: form, author, time, tombstone, id and
 * signature are checked, cheapest first, before anything is stored (SYNC-12). What is refused is
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
    const report: PostReport = { stored: 0, known: 0, refused: 0, early: new Set() };
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

  /** Takes delete records in. `relevant` says whose are kept though we do not hold their post. */
  async deletes(values: readonly unknown[], relevant: (author: NodeId) => boolean, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < values.length; at += CHUNK) {
      await Promise.all(values.slice(at, at + CHUNK).map((value) => this.#delete(value, relevant)));
      signal.throwIfAborted();
    }
  }

  async #check(
    value: unknown,
    wanted: (author: NodeId) => boolean,
    report: PostReport,
  ): Promise<{ post: SyncPost; body: string } | undefined> {
    const { store, counters } = this.#deps;
    const refuse = (reason: PostRefusal): undefined => {
      report.refused += 1;
      counters.add(`post-refused:${reason}`);
    };
    const post = readSyncPost(value);
    if (typeof post === 'string') return refuse(post);
    const { author, timestamp_ms } = post.post;
    if (!wanted(author)) return refuse('unrequested');
    if (store.has(post.id)) {
      report.known += 1;
      counters.add('post-known');
      return undefined;
    }
    const ahead = timestamp_ms - this.#deps.now();
    if (ahead > FUTURE_LIMIT_MS) {
      if (ahead < FUTURE_RETRY_MS) report.early.add(author);
      return refuse('future');
    }
    if (store.isDeleted(post.id, author)) return refuse('deleted');
    const body = canonicalOf(post);
    if (body === undefined) return refuse('malformed');
    const bytes = Buffer.from(body);
    if (bytes.length > POST_MAX_BYTES) return refuse('too-large');
    if (blake3Hex(bytes) !== post.id) return refuse('bad-id');
    const signed = await verifySignatureAsync(
      author,
      POST_SIGNATURE_DOMAIN,
      hexToBytes(post.id),
      hexToBytes(post.signature),
    );
    return signed ? { post, body } : refuse('bad-signature');
  }

  async #store(
    good: readonly { post: SyncPost; body: string }[],
    origin: PostOrigin,
    report: PostReport,
  ): Promise<void> {
    const { store, writer } = this.#deps;
    const insert = (): SyncPost[] => store.insert(good);
    const stored = await (good.length === 1 ? writer.one(insert) : writer.bulk(insert));
    report.stored += stored.length;
    if (stored.length > 0) this.#deps.stored(stored.map(refOf), origin);
  }

  async #delete(value: unknown, relevant: (author: NodeId) => boolean): Promise<void> {
    const { store, writer, counters } = this.#deps;
    const refuse = (reason: DeleteRefusal): void => counters.add(`delete-refused:${reason}`);
    const record = readDeleteRecord(value);
    if (record === undefined) return refuse('malformed');
    const { post_id, author } = record;
    if (store.isDeleted(post_id, author)) return counters.add('delete-known');
    if (record.timestamp_ms - this.#deps.now() > FUTURE_LIMIT_MS) return refuse('future');
    const holder = store.authorOf(post_id);
    if (holder !== undefined && holder !== author) return refuse('not-author');
    if (holder === undefined && !relevant(author)) return refuse('irrelevant');
    const signed = await verifySignatureAsync(
      author,
      DELETE_SIGNATURE_DOMAIN,
      deleteSignatureBytes(record),
      hexToBytes(record.signature),
    );
    if (!signed) return refuse('bad-signature');
    const { isNew, deleted } = await writer.one(() => store.bury(record));
    if (isNew) this.#deps.deleted(record, deleted);
  }
}

export function refOf(post: SyncPost): PostRef {
  return { id: post.id, author: post.post.author, timestampMs: post.post.timestamp_ms };
}

function canonicalOf(post: SyncPost): string | undefined {
  try {
    return canonicalPost(post.post);
  } catch {
    // RFC 8785 has no form for it, so nobody can have computed an id over it.
    return undefined;
  }
}
