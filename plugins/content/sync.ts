import { BoundedMap, codeOf, wireCode } from '../../kernel/index.ts';
import type { NodeId } from '../../kernel/index.ts';
import { contentErrors } from './errors.ts';
import { pullFrom } from './pull.ts';
import type { PullDeps } from './pull.ts';

/** How long a peer that misled us is left alone. */
const AVOID_MS = 10 * 60_000;
/** Peers avoided at a time; the longest avoided is forgiven first. */
const AVOIDED_MAX = 256;
/** Codes of pulls that ended because the peer or this generation went away: they say nothing of the data. */
const ENDED = new Set([
  wireCode('not-connected'),
  wireCode('connection-closed'),
  wireCode('connection-refused'),
  wireCode('unsupported'),
  wireCode('interrupted'),
  wireCode('deadline'),
]);

interface Pull {
  /** Asked for again while it ran. */
  again: boolean;
  readonly done: Promise<number>;
}

/**
 * When to pull and from whom: one pull per peer at a time, a few peers at once. Peers are only those
 * the user follows (SYNC-04); so the table of pulls is bounded by the follows.
 */
export class Sync {
  readonly #deps: PullDeps;
  readonly #pulls = new Map<NodeId, Pull>();
  readonly #waiting: (() => void)[] = [];
  readonly #avoided = new BoundedMap<NodeId, number>(AVOIDED_MAX);
  #running = 0;

  constructor(deps: PullDeps) {
    this.#deps = deps;
  }

  /** Peers a pull runs or waits for. */
  get peers(): NodeId[] {
    return [...this.#pulls.keys()];
  }

  /**
   * Pulls from a peer, now or after the pull under way with it, which may have passed what the caller
   * means. Resolves at the end of that with the number of posts stored; never rejects: what goes wrong is counted and tried again with
   * the next trigger.
   */
  request(peer: NodeId): Promise<number> {
    const running = this.#pulls.get(peer);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const pull: { again: boolean; done: Promise<number> } = { again: false, done: Promise.resolve(0) };
    this.#pulls.set(peer, pull);
    pull.done = this.#run(peer, pull).finally(() => this.#pulls.delete(peer));
    return pull.done;
  }

  /** Pulls from everybody who is connected and followed. */
  async requestAll(): Promise<void> {
    const { contacts } = this.#deps;
    await contacts.refresh();
    const peers = (await contacts.connected()).filter((nodeId) => contacts.isFollowed(nodeId));
    await Promise.all(peers.map((peer) => this.request(peer)));
  }

  /** Pulls from everybody connected and followed whose last encounter is older than `ageMs` (CYC-01). */
  async requestStale(ageMs: number): Promise<void> {
    const { ctx, contacts, encounters } = this.#deps;
    const beforeMs = ctx.clock.now() - ageMs;
    await contacts.refresh();
    for (const peer of await contacts.connected()) {
      if (contacts.isFollowed(peer) && encounters.lastMs(peer) < beforeMs) void this.request(peer);
    }
  }

  async #run(peer: NodeId, pull: Pull): Promise<number> {
    const { ctx, contacts } = this.#deps;
    let stored = 0;
    await this.#turn();
    try {
      do {
        pull.again = false;
        if (!contacts.isFollowed(peer) || this.#isAvoided(peer)) break;
        stored += await pullFrom(this.#deps, peer, ctx.signal);
      } while (pull.again && !ctx.signal.aborted);
    } catch (error) {
      this.#failed(peer, error);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
    return stored;
  }

  async #turn(): Promise<void> {
    if (this.#running >= this.#deps.ctx.config.pullPeers)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }

  #failed(peer: NodeId, error: unknown): void {
    const { ctx } = this.#deps;
    if (ctx.signal.aborted) return;
    const code = codeOf(error);
    ctx.counters.add(`pull-failed:${code}`);
    if (code === contentErrors.code('misled')) this.#avoided.set(peer, ctx.clock.monotonic() + AVOID_MS);
    if (!ENDED.has(code)) ctx.log.warn('pull-failed', { peer, code, error });
  }

  #isAvoided(peer: NodeId): boolean {
    const until = this.#avoided.get(peer);
    if (until === undefined) return false;
    if (this.#deps.ctx.clock.monotonic() < until) return true;
    this.#avoided.delete(peer);
    return false;
  }
}
