import { CLOSE_CODES } from '../sdk/network.ts';

const NAMES = new Map<number, string>(Object.entries(CLOSE_CODES).map(([name, code]) => [code, name]));

/** The name of a close code that came from a peer; of an unknown one its own words, made harmless. */
export function closeReason(code: number, words: Uint8Array): string {
  return (
    NAMES.get(code) ??
    (Buffer.from(words.subarray(0, 64))
      .toString('latin1')
      .replace(/[^\x20-\x7e]/g, '') ||
      `code-${code}`)
  );
}
