import { types } from 'node:util';
import { errorText, messageOf } from '../errors.ts';

const DEPTH_MAX = 8;
/** Objects, arrays and their entries that are looked at, all together. */
const PARTS_MAX = 5_000;

/**
 * A copy of anything that can be written as JSON and shown: without circles, getters that throw, proxies and
 * numbers that JSON does not know, and not larger than somebody would read. Never throws.
 */
export function plainValue(value: unknown): unknown {
  let left = PARTS_MAX;
  const copy = (from: unknown, depth: number): unknown => {
    if (typeof from === 'string') return errorText(from);
    if (typeof from === 'bigint') return String(from);
    if (typeof from !== 'object' || from === null) return from;
    // Whatever is asked of it runs code of whoever made it.
    if (types.isProxy(from)) return 'a proxy';
    if (depth >= DEPTH_MAX || left <= 0) return '…';
    if (ArrayBuffer.isView(from)) return `${from.byteLength} bytes`;
    if (Array.isArray(from)) return taken(from).map((entry) => copy(entry, depth + 1));
    const json: unknown = (from as { toJSON?: unknown }).toJSON;
    if (typeof json === 'function') return copy(json.call(from), depth + 1);
    const entries = taken(Object.keys(from)).map((key) => {
      try {
        return [errorText(key), copy((from as Record<string, unknown>)[key], depth + 1)];
      } catch (error) {
        return [errorText(key), `it cannot be read: ${messageOf(error)}`];
      }
    });
    return Object.fromEntries(entries);
  };
  const taken = <T>(entries: readonly T[]): readonly T[] => {
    const fitting = entries.slice(0, Math.max(0, left));
    left -= fitting.length;
    return fitting;
  };
  try {
    return copy(value, 0);
  } catch (error) {
    return `it cannot be read: ${messageOf(error)}`;
  }
}
