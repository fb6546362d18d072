import type { PeerId } from '../sdk/identifiers.ts';
import { peerKey } from '../sdk/identifiers.ts';
import type { AddressBlock } from '../sdk/kit/block-shares.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import { TokenBucket } from '../sdk/kit/rate-limiter.ts';
import type { MessageBudget } from '../sdk/message.ts';
import type { LineOwner, WaitingCall, WaitingLine } from './calls.ts';
import {
  BLOCK_MISBEHAVIOUR_MAX_POINTS,
  FORGIVEN_POINTS_PER_SECOND,
  REMEMBERED_BLOCKS_MAX,
  REMEMBERED_PEERS_MAX,
} from './limits.ts';

/** What one peer uses of one message: a token bucket, and the places in its handler. */
export class Usage implements WaitingLine {
  inFlight = 0;
  /** Whole frames of this peer that wait for a place, in arrival order. */
  readonly waiting: WaitingCall[] = [];
  #pumping = false;
  readonly #bucket: TokenBucket;

  constructor(budget: MessageBudget, now: number) {
    this.#bucket = new TokenBucket(budget, now);
  }

  /** Takes a token: 0, or after how many milliseconds there will be one. */
  take(budget: MessageBudget, now: number): number {
    return this.#bucket.take(budget, now);
  }

  suspendDeadlines(): void {
    for (const call of this.waiting) call.suspendDeadline();
  }

  resumeDeadlines(): void {
    for (const call of this.waiting) call.resumeDeadline();
  }

  pump(owner: LineOwner): void {
    // A handler that ends at once comes back here; the outer loop goes on for it.
    if (this.#pumping) return;
    this.#pumping = true;
    for (let call = this.waiting[0]; call !== undefined && !owner.held; call = this.waiting[0]) {
      if (this.inFlight >= call.places) break;
      this.waiting.shift();
      call.start();
    }
    this.#pumping = false;
    if (this.waiting.length === 0) owner.lines.delete(this);
  }
}

/** What one peer costs us, over all its connections and across reconnects. Keyed by device, as connections are. */
export class PeerAccount {
  connections = 0;
  readonly #usage = new Map<object, Usage>();
  readonly #points = new Points();

  /** `route` outlives plugin generations, and with it the usage. */
  usage(route: object, budget: MessageBudget, now: number): Usage {
    let usage = this.#usage.get(route);
    if (usage === undefined) {
      usage = new Usage(budget, now);
      this.#usage.set(route, usage);
    }
    return usage;
  }

  /** Adds misbehaviour points (0 to ask) and returns the present score. */
  blame(points: number, now: number): number {
    return this.#points.add(points, now);
  }
}

/** Misbehaviour points, one of which is forgiven each second. */
class Points {
  #points = 0;
  #atMs = 0;

  /** Returns the present score; `shares` are forgiven a second. */
  add(points: number, now: number, shares = 1): number {
    const forgiven = ((now - this.#atMs) * FORGIVEN_POINTS_PER_SECOND * shares) / 1_000;
    this.#points = Math.max(0, this.#points - forgiven) + points;
    this.#atMs = now;
    return this.#points;
  }
}

/** Misbehaviour by address block, so that a new identity does not buy a clean slate. */
export class BlockPoints {
  readonly #blocks = new BoundedMap<string, Points>(REMEMBERED_BLOCKS_MAX);

  blame(blocks: readonly AddressBlock[], points: number, now: number): void {
    for (const { name, shares } of blocks) {
      const known = this.#blocks.get(name) ?? new Points();
      known.add(points, now, shares);
      this.#blocks.set(name, known);
    }
  }

  /** Whether one of the blocks has more points than it may. */
  exceeds(blocks: readonly AddressBlock[], now: number): boolean {
    return blocks.some(({ name, shares }) => {
      const score = this.#blocks.get(name)?.add(0, now, shares) ?? 0;
      return score > BLOCK_MISBEHAVIOUR_MAX_POINTS * shares;
    });
  }
}

/** Accounts of connected peers, and of up to 4,096 that left, so that reconnecting buys no fresh budget. */
export class PeerAccounts {
  readonly #connected = new Map<string, PeerAccount>();
  readonly #departed = new BoundedMap<string, PeerAccount>(REMEMBERED_PEERS_MAX);

  enter(peer: PeerId): PeerAccount {
    const key = peerKey(peer);
    const account = this.#connected.get(key) ?? this.#departed.get(key) ?? new PeerAccount();
    this.#departed.delete(key);
    this.#connected.set(key, account);
    account.connections++;
    return account;
  }

  leave(peer: PeerId): void {
    const key = peerKey(peer);
    const account = this.#connected.get(key);
    if (account === undefined || --account.connections > 0) return;
    this.#connected.delete(key);
    this.#departed.set(key, account);
  }
}
