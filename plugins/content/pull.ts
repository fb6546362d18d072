import { isRecord } from './post.ts';
import { isPostId } from './post-id.ts';
import type { PostId } from './post-id.ts';
import { codeOf, wireCode } from '../../kernel/index.ts';
import type { BodyOf, NodeId, ResponseOf } from '../../kernel/index.ts';
import { PULL_AUTHORS_MAX, PULL_ENTRIES_MAX, pullSync, syncFinished } from './api.ts';
import type { Contacts } from './contacts.ts';
import type { ContentContext } from './context.ts';
import { contentErrors } from './errors.ts';
import type { Encounters } from './encounters.ts';
import type { Ingest } from './ingest.ts';
import type { PostStore } from './post-store.ts';
import type { SyncCursors } from './sync-cursors.ts';
import type { Writer } from './writer.ts';

type Request = BodyOf<typeof pullSync>;
type Page = ResponseOf<typeof pullSync>;

/** What a peer may have wrong in one pull before we end it: a page of forgeries costs 40 ms of a core. */
const REFUSED_MAX = 500;
/** A peer that answers `rate-limited` is asked again after this long, so many times in a row. */
const RATE_WAIT_MS = 1_000;
const RATE_RETRIES = 30;

export interface PullDeps {
  readonly ctx: ContentContext;
  readonly contacts: Contacts;
  readonly store: PostStore;
  readonly cursors: SyncCursors;
  readonly encounters: Encounters;
  readonly ingest: Ingest;
  readonly writer: Writer;
}

/** What one pull has seen so far. */
interface Tally {
  pages: number;
  stored: number;
  refused: number;
}

/**
 * Pulls the authors the user follows from one peer: the peer's own posts whole when they are asked for
 * the first time; later, and those of others, as ids first, since most of them are here already. Markers are stored with what they cover, so a pull
 * that ends anywhere goes on there. Returns the number of posts stored.
 */
export async function pullFrom(deps: PullDeps, peer: NodeId, signal: AbortSignal): Promise<number> {
  const { ctx, contacts, encounters, writer } = deps;
  // What is written while the pull runs may be missed by it.
  const startedMs = ctx.clock.now();
  const others = [...(await contacts.refresh())].filter((author) => author !== peer);
  const tally: Tally = { pages: 0, stored: 0, refused: 0 };
  const idsFirst = deps.cursors.of(peer).has(peer);
  await new AuthorsPull(deps, peer, [peer], idsFirst, tally, signal).run();
  // Own posts too: another device of the user may have written them.
  others.push(ctx.self.nodeId);
  for (let at = 0; at < others.length; at += PULL_AUTHORS_MAX) {
    await new AuthorsPull(deps, peer, others.slice(at, at + PULL_AUTHORS_MAX), true, tally, signal).run();
  }
  await writer.bulk(() => encounters.met(peer, startedMs, ctx.clock.now()));
  ctx.emit(syncFinished, { peer, stored: tally.stored, refused: tally.refused });
  return tally.stored;
}

class AuthorsPull {
  readonly #deps: PullDeps;
  readonly #peer: NodeId;
  readonly #asked: Set<NodeId>;
  readonly #idsOnly: boolean;
  readonly #tally: Tally;
  readonly #signal: AbortSignal;
  /** Where the next request starts; ahead of what is stored while a page is being checked. */
  readonly #markers: Map<NodeId, number>;
  /**
   * Authors of whom something was passed over that may be wanted later, because it is still too far in
   * the future or they are unfollowed at the moment: their stored marker stays before it.
   */
  readonly #passedOver = new Set<NodeId>();
  #log: string | undefined;

  constructor(
    deps: PullDeps,
    peer: NodeId,
    authors: readonly NodeId[],
    idsOnly: boolean,
    tally: Tally,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#peer = peer;
    this.#asked = new Set(authors);
    this.#idsOnly = idsOnly;
    this.#tally = tally;
    this.#signal = signal;
    this.#log = deps.cursors.logOf(peer);
    this.#markers = deps.cursors.of(peer);
  }

  /** Asks for the next page while the present one is checked and stored; one ahead, so memory is two pages. */
  async run(): Promise<void> {
    let coming: Promise<Page> | undefined = this.#ask(this.#request());
    while (coming !== undefined) {
      const page: Page = await coming;
      const moved = this.#follow(page);
      coming =
        page.more && this.#asked.size > 0 && this.#tally.pages < this.#deps.ctx.config.pullPages
          ? this.#ask(this.#request())
          : undefined;
      // Its rejection is met at the next await, which may come after it.
      coming?.catch(() => {});
      await this.#take(page, moved);
    }
  }

  #request(): Request {
    const authors = [...this.#asked].map((author) => ({ author, since: this.#markers.get(author) ?? 0 }));
    return {
      ...(this.#log === undefined ? {} : { log: this.#log }),
      authors,
      ...(this.#idsOnly ? { ids_only: true } : {}),
    };
  }

  /** Moves our markers as the page says. @throws content/misled for pages that lead nowhere */
  #follow(page: Page): Map<NodeId, number> {
    this.#tally.pages += 1;
    if (page.log !== this.#log) this.#markers.clear();
    this.#log = page.log;
    const moved = new Map<NodeId, number>();
    for (const { author, since } of page.cursors as { author: NodeId; since: number }[]) {
      if (!this.#asked.has(author) || since <= (this.#markers.get(author) ?? 0)) continue;
      moved.set(author, since);
      this.#markers.set(author, since);
    }
    if (!page.more) return moved;
    const entries = page.posts.length + page.deletes.length + (page.ids?.length ?? 0);
    if (moved.size === 0 || entries === 0) throw this.#misled('pages without progress');
    return moved;
  }

  async #take(page: Page, moved: ReadonlyMap<NodeId, number>): Promise<void> {
    const { cursors, ingest, writer } = this.#deps;
    // Deletes first, so that a post deleted meanwhile is never shown.
    this.#refused(await ingest.deletes(page.deletes, (author) => this.#isAsked(author), this.#signal));
    await this.#posts(page.posts);
    if (page.ids !== undefined) await this.#missing(page.ids as { author: NodeId; id: PostId }[]);
    await writer.bulk(() => {
      // Asked at the time of the write: who is unfollowed before it is forgotten by it or after it.
      const kept = [...moved].filter(([author]) => this.#isAsked(author) && !this.#passedOver.has(author));
      cursors.save(this.#peer, page.log, new Map(kept));
    });
    this.#signal.throwIfAborted();
  }

  async #posts(posts: readonly unknown[]): Promise<void> {
    const report = await this.#deps.ingest.posts(posts, 'pull', (author) => this.#isAsked(author), this.#signal);
    for (const author of report.early) this.#passedOver.add(author);
    for (const author of report.spent) {
      // The rest comes tomorrow, from the stored marker on.
      this.#passedOver.add(author);
      this.#asked.delete(author);
    }
    this.#tally.stored += report.stored;
    this.#refused(report.refused);
  }

  /** @throws content/misled above what a peer may have wrong */
  #refused(count: number): void {
    this.#tally.refused += count;
    if (this.#tally.refused > REFUSED_MAX) throw this.#misled('too many records that had to be refused');
  }

  /** Asks for the posts behind ids we do not hold. */
  async #missing(ids: readonly { author: NodeId; id: PostId }[]): Promise<void> {
    const { store } = this.#deps;
    const missing = new Set<PostId>();
    for (const { author, id } of ids) {
      if (this.#isAsked(author) && !store.has(id) && !store.isDeleted(id, author)) missing.add(id);
    }
    while (missing.size > 0) {
      const wanted = [...missing].slice(0, PULL_ENTRIES_MAX);
      const page = await this.#ask({ authors: [], wanted });
      const came = page.posts.filter((value) => isRecord(value) && isPostId(value.id) && missing.delete(value.id));
      if (came.length < page.posts.length)
        this.#deps.ctx.counters.add('post-refused:unrequested', page.posts.length - came.length);
      await this.#posts(came);
      if (page.more && came.length > 0) continue;
      // What the peer does not have any more was deleted there since it told us the ids; of a few that is so.
      const invented = wanted.filter((id) => missing.delete(id)).length;
      this.#deps.ctx.counters.add('post-refused:not-there', invented);
      this.#refused(invented);
    }
  }

  /** Someone unfollowed in the middle of a pull is not asked for any more. */
  #isAsked(author: NodeId): boolean {
    if (!this.#asked.has(author)) return false;
    const kept = this.#deps.contacts.isKept(author);
    if (!kept) this.#passedOver.add(author);
    return kept;
  }

  async #ask(request: Request): Promise<Page> {
    const { ctx } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      try {
        return await ctx.send(this.#peer, pullSync, request, { signal: this.#signal });
      } catch (error) {
        if (codeOf(error) !== wireCode('rate-limited') || attempt > RATE_RETRIES) throw error;
        await ctx.clock.sleep(RATE_WAIT_MS, this.#signal);
      }
    }
  }

  #misled(reason: string): Error {
    return contentErrors.make('misled', { peer: this.#peer, reason });
  }
}
