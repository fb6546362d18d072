import type { Clock } from '../../sdk/clock.ts';

/** What a lane needs to know of the link it runs over. */
export interface LaneLink {
  /** One-way delay of the next message in milliseconds. */
  delayMs(): number;
  /** True while nothing gets through; what was sent waits, as QUIC would send it again. */
  readonly cut: boolean;
}

const ROUNDING_MS = 0.001;

/** One direction of a connection: messages arrive in order, each after the link's delay. One timer at most. */
export class Lane {
  readonly #clock: Clock;
  readonly #link: LaneLink;
  #queue: { atMs: number; run: () => void }[] = [];
  #lastAtMs = 0;
  #armed = false;

  constructor(clock: Clock, link: LaneLink) {
    this.#clock = clock;
    this.#link = link;
  }

  /** Times are whole milliseconds, so that messages of many lanes arrive at the same instants. */
  send(run: () => void): void {
    this.#lastAtMs = Math.max(this.#lastAtMs, Math.round(this.#clock.monotonic() + this.#link.delayMs()));
    this.#queue.push({ atMs: this.#lastAtMs, run });
    this.#arm();
  }

  /** Goes on after the link was cut. */
  resume(): void {
    this.#arm();
  }

  /** Nothing more arrives. */
  stop(): void {
    this.#queue = [];
  }

  #arm(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#armed || this.#link.cut) return;
    this.#armed = true;
    this.#clock.timer(Math.max(0, first.atMs - this.#clock.monotonic()), () => {
      this.#armed = false;
      if (!this.#link.cut) this.#deliver();
      this.#arm();
    });
  }

  #deliver(): void {
    // Sums of fractions may come out a little short of the sum's time.
    const now = this.#clock.monotonic() + ROUNDING_MS;
    const due = this.#queue.findIndex(({ atMs }) => atMs > now);
    const batch = due < 0 ? this.#queue : this.#queue.slice(0, due);
    this.#queue = due < 0 ? [] : this.#queue.slice(due);
    for (const { run } of batch) run();
  }
}
