import type { Clock } from '../kernel/sdk/clock.ts';

interface Post {
  readonly author: number;
  readonly atMs: number;
  /** Followers of that moment who do not have it yet. */
  readonly missing: Set<number>;
}

/** Who follows whom, and which post reached whom when. */
export class Posts {
  readonly #clock: Clock;
  readonly #followers = new Map<number, Set<number>>();
  readonly #posts = new Map<string, Post>();
  /** Stored before the command that made them answered. */
  readonly #early = new Map<string, number[]>();
  readonly delaysMs: number[] = [];
  #wanted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  follows(follower: number, author: number): void {
    this.#followers.set(author, (this.#followers.get(author) ?? new Set()).add(follower));
  }

  published(id: string, author: number): void {
    const missing = new Set(this.#followers.get(author));
    this.#wanted += missing.size;
    this.#posts.set(id, { author, atMs: this.#clock.monotonic(), missing });
    for (const machine of this.#early.get(id) ?? []) this.#arrived(id, machine);
    this.#early.delete(id);
  }

  stored(machine: number, posts: readonly { readonly id: string }[]): void {
    for (const { id } of posts) {
      if (this.#posts.has(id)) this.#arrived(id, machine);
      else this.#early.set(id, [...(this.#early.get(id) ?? []), machine]);
    }
  }

  get size(): number {
    return this.#posts.size;
  }

  /** Share of posts that reached who follows their author: 1 is everyone. */
  delivered(): number {
    return this.#wanted === 0 ? 1 : this.delaysMs.length / this.#wanted;
  }

  #arrived(id: string, machine: number): void {
    const post = this.#posts.get(id);
    if (post?.missing.delete(machine)) this.delaysMs.push(this.#clock.monotonic() - post.atMs);
  }
}
