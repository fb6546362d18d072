/** Room made for a batch like the one before; a longer one grows. */
const ROOM_MAX_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** Small writes that leave together, copied one behind the other. Holds nothing while it is empty. */
export class Batch {
  bytes = 0;
  #block = EMPTY;
  #lastBytes = 0;

  add(part: Uint8Array): void {
    const end = this.bytes + part.length;
    if (end > this.#block.length) this.#grow(end);
    this.#block.set(part, this.bytes);
    this.bytes = end;
  }

  /** All of it as one, and the batch is empty. */
  take(): Uint8Array {
    const whole = this.#block.subarray(0, this.bytes);
    this.#lastBytes = this.bytes;
    this.#block = EMPTY;
    this.bytes = 0;
    return whole;
  }

  #grow(bytes: number): void {
    const block = Buffer.allocUnsafe(Math.max(bytes, 2 * this.bytes, Math.min(this.#lastBytes, ROOM_MAX_BYTES)));
    block.set(this.#block.subarray(0, this.bytes));
    this.#block = block;
  }
}
