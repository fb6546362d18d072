import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../sdk/clock.ts';

/** `crypto.randomInt` takes ranges below this. */
const RANGE_MAX = 2 ** 48 - 1;

/** The operating system's randomness; fit for keys. */
export function systemRandom(): Random {
  return {
    bytes: (length) => randomBytes(length),
    float: () => randomInt(RANGE_MAX) / RANGE_MAX,
    integer: (below) => randomInt(below),
  };
}

/**
 * The same sequence for the same seed, on every machine: sfc32 (Chris Doty-Humphrey's Small Fast
 * Counter, PractRand), its 128 bits of state taken from SHA-256 of the seed's text. For tests and
 * simulations; never for keys. `seededRandom(`${seed}/${name}`)` gives each part its own sequence.
 */
export function seededRandom(seed: number | string): Random {
  const state = createHash('sha256').update(String(seed)).digest();
  let a = state.readInt32LE(0);
  let b = state.readInt32LE(4);
  let c = state.readInt32LE(8);
  let counter = state.readInt32LE(12);
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // 53 bits, as many as a double holds.
  const float = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  return {
    float,
    integer: (below) => Math.floor(float() * below),
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += 4) {
        const word = next();
        for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
      }
      return bytes;
    },
  };
}
