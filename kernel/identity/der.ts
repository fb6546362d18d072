/** The few pieces of DER (X.690) that our two certificates consist of. */

/** Values over 65,535 bytes do not occur: certificates are capped at 1 KiB before they are read. */
function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = join(...parts);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return join(Uint8Array.of(tag, ...length), body);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tagged(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tagged(0x31, ...parts);
export const context = (number: number, value: Uint8Array): Uint8Array => tagged(0xa0 | number, value);
/** Only 0 to 127. */
export const integer = (value: number): Uint8Array => tagged(0x02, Uint8Array.of(value));
/** Only arcs below 128 after the first two, which are joined into one byte. */
export const oid = (first: number, second: number, ...rest: readonly number[]): Uint8Array =>
  tagged(0x06, Uint8Array.of(first * 40 + second, ...rest));
export const bitString = (bytes: Uint8Array): Uint8Array => tagged(0x03, Uint8Array.of(0), bytes);
export const utf8 = (text: string): Uint8Array => tagged(0x0c, Buffer.from(text));

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; whole seconds, UTC. */
export function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return ms < Date.UTC(2050, 0) ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

/** Steps through DER; throws RangeError on anything that does not fit, for the caller to translate. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The content of the next value, which must have this tag. */
  take(tag: number): Uint8Array {
    if (this.#bytes[this.#at] !== tag) throw new RangeError('unexpected tag');
    return this.#next();
  }

  enter(tag: number): DerReader {
    return new DerReader(this.take(tag));
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#next();
  }

  /** A UTCTime or GeneralizedTime in milliseconds. */
  time(): number {
    const utc = this.#bytes[this.#at] === 0x17;
    const text = Buffer.from(this.take(utc ? 0x17 : 0x18)).toString('latin1');
    const digits = utc ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
    const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
    if (match === null) throw new RangeError('not a time');
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  #next(): Uint8Array {
    let length = this.#bytes[this.#at + 1] ?? 0;
    let start = this.#at + 2;
    if (length > 0x80) {
      const size = length & 0x7f;
      if (size > 2) throw new RangeError('too long');
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + (this.#bytes[start + i] ?? 0);
      start += size;
    }
    if (start + length > this.#bytes.length) throw new RangeError('cut off');
    this.#at = start + length;
    return this.#bytes.subarray(start, start + length);
  }
}
