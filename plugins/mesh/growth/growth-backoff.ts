import { Type } from '../../../kernel/index.ts';
import type { Static } from '../../../kernel/index.ts';

/** So many full nodes in a row, and growth waits for the timer. */
export const REFUSALS_MAX = 8;
/** So many of them, and it asks for room to be made: sooner it would wear out the readiness to. */
const BEFORE_PLEA = 2;
/** For the last tenth of the slots it knocks less, and after each timer without success half as often. */
const LAST_REFUSALS_MAX = 2;
const TICKS_LEFT_OUT_MAX = 15;

/** What a swap hands over: it is no reason to knock more. */
export const BackoffState = Type.Object({
  count: Type.Integer(),
  inARow: Type.Integer(),
  leaveOut: Type.Integer(),
  leftOut: Type.Integer(),
});
export type BackoffState = Static<typeof BackoffState>;

/** How long growth goes on knocking where it meets full nodes. */
export class GrowthBackoff {
  /** In this round, which the timer or a success ends. */
  count = 0;
  /** Since the last that took us in, over all rounds. */
  #inARow = 0;
  /** Timers to leave out, and how many were left out before the last one. */
  #leaveOut = 0;
  #leftOut = 0;

  /** Timers that are still to be left out. */
  get ticksLeftOut(): number {
    return this.#leaveOut;
  }

  /** Full nodes were all that was found of late. */
  get areAll(): boolean {
    return this.#inARow >= BEFORE_PLEA;
  }

  /** True when it is enough for this round. */
  add(isNearlyFull: boolean): boolean {
    this.count++;
    this.#inARow++;
    return this.count >= (isNearlyFull ? LAST_REFUSALS_MAX : REFUSALS_MAX);
  }

  /** Somebody took us in. */
  joined(): void {
    this.count = 0;
    this.#inARow = 0;
    this.#leftOut = 0;
  }

  /** The network seems full: more and more timers are left out. */
  rest(): void {
    this.#leftOut = Math.min(TICKS_LEFT_OUT_MAX, this.#leftOut * 2 + 1);
    this.#leaveOut = this.#leftOut;
  }

  /** The timer. False when it is to be left out. */
  tick(isNearlyFull: boolean): boolean {
    if (isNearlyFull && this.#leaveOut > 0) {
      this.#leaveOut--;
      return false;
    }
    this.count = 0;
    return true;
  }

  snapshot(): BackoffState {
    return { count: this.count, inARow: this.#inARow, leaveOut: this.#leaveOut, leftOut: this.#leftOut };
  }

  restore({ count, inARow, leaveOut, leftOut }: BackoffState): void {
    this.count = count;
    this.#inARow = inARow;
    this.#leaveOut = leaveOut;
    this.#leftOut = leftOut;
  }

  /** No timer is left out. */
  forgive(): void {
    this.#leaveOut = 0;
    this.#leftOut = 0;
  }
}
