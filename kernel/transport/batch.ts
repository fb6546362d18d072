/** Small writes that leave together. */
export class Batch {
  bytes = 0;
  #parts: Uint8Array[] = [];

  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.bytes += part.length;
  }

  /** All of it as one, and the batch is empty. */
  take(): Uint8Array {
    const [first, ...others] = this.#parts;
    const whole = first !== undefined && others.length === 0 ? first : Buffer.concat(this.#parts, this.bytes);
    this.#parts = [];
    this.bytes = 0;
    return whole;
  }
}
