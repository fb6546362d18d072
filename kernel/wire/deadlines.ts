import type { Clock, TimerHandle } from '../sdk/clock.ts';

/** Whose deadline it is. */
export interface Expiring {
  /** The deadline has passed. */
  expire(): void;
}

/** One deadline, set and moved any number of times; linked into the wheel in place, so that this allocates nothing. */
export class Deadline {
  /** On the clock's monotonic time. */
  at = 0;
  previous: Deadline | undefined = undefined;
  next: Deadline | undefined = undefined;
  bucket = -1;
  readonly target: Expiring;

  constructor(target: Expiring) {
    this.target = target;
  }

  get isSet(): boolean {
    return this.bucket !== -1;
  }
}

const TICK_MS = 50;
/** A turn is 12.8 s, a little more than the default deadline; longer ones stay for another turn. */
const BUCKETS = 256;

/**
 * All deadlines of a dispatcher on one timer. Expires at most 50 ms late, never early.
 *
 * The timer is left running when the wheel empties: a node with steady traffic sets it about once in
 * 10 s, not once a call.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heads: (Deadline | undefined)[] = new Array<Deadline | undefined>(BUCKETS).fill(undefined);
  #size = 0;
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** First tick that has not been swept. */
  #tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets or moves the deadline to `at` (monotonic milliseconds). */
  set(entry: Deadline, at: number): void {
    this.clear(entry);
    if (this.#size === 0 && this.#timer === undefined) this.#tick = Math.floor(this.#clock.monotonic() / TICK_MS);
    entry.at = at;
    const tick = Math.max(Math.floor(at / TICK_MS), this.#tick);
    const bucket = tick % BUCKETS;
    const head = this.#heads[bucket];
    entry.bucket = bucket;
    entry.next = head;
    if (head !== undefined) head.previous = entry;
    this.#heads[bucket] = entry;
    this.#size++;
    const due = (tick + 1) * TICK_MS;
    if (due < this.#timerAt) this.#arm(due);
  }

  clear(entry: Deadline): void {
    if (entry.bucket === -1) return;
    if (entry.previous === undefined) this.#heads[entry.bucket] = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next !== undefined) entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.bucket = -1;
    this.#size--;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.timer(Math.max(0, Math.ceil(at - this.#clock.monotonic())), () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    const end = Math.floor(now / TICK_MS);
    // After a long sleep of the machine every bucket is swept once, not once per missed tick.
    const due: Deadline[] = [];
    for (let tick = Math.max(this.#tick, end - BUCKETS); tick < end; tick++) {
      for (let entry = this.#heads[tick % BUCKETS]; entry !== undefined; entry = entry.next) {
        if (entry.at <= now) due.push(entry);
      }
    }
    this.#tick = end;
    for (const entry of due) {
      // An earlier one's end may have cleared or moved this one.
      if (entry.bucket === -1 || entry.at > now) continue;
      this.clear(entry);
      entry.target.expire();
    }
    if (this.#size > 0) this.#armNext();
  }

  #armNext(): void {
    for (let tick = this.#tick; tick < this.#tick + BUCKETS; tick++) {
      if (this.#heads[tick % BUCKETS] === undefined) continue;
      const due = (tick + 1) * TICK_MS;
      if (due < this.#timerAt) this.#arm(due);
      return;
    }
  }
}
