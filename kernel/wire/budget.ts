import type { PeerId } from '../sdk/identifiers.ts';
import { peerKey } from '../sdk/identifiers.ts';
import { BoundedMap } from '../sdk/kit/bounded-map.ts';
import { TokenBucket } from '../sdk/kit/rate-limiter.ts';
import type { MessageBudget } from '../sdk/message.ts';
import type { LineOwner, WaitingCall, WaitingLine } from './calls.ts';
import { FORGIVEN_POINTS_PER_SECOND, REMEMBERED_PEERS_MAX } from './limits.ts';

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
  #points = 0;
  #pointsAt = 0;

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
    const forgiven = ((now - this.#pointsAt) * FORGIVEN_POINTS_PER_SECOND) / 1_000;
    this.#points = Math.max(0, this.#points - forgiven) + points;
    this.#pointsAt = now;
    return this.#points;
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
