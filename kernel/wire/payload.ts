import { wireErrors } from './errors.ts';
import { JSON_DEPTH_MAX } from './limits.ts';

/** `fatal`: an invalid sequence is an error, not U+FFFD. `ignoreBOM`: a byte order mark stays, and is no JSON. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8, bounded nesting, one JSON value. @throws wire/malformed with `reason` utf8, depth or json */
export function decodePayload(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw wireErrors.make('malformed', { reason: 'utf8' });
  }
  // Valid JSON closes what it opens, so that a short text cannot be deep; an invalid one fails in the parser.
  if (text.length > 2 * JSON_DEPTH_MAX && deeperThan(text, JSON_DEPTH_MAX)) {
    throw wireErrors.make('malformed', { reason: 'depth' });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw wireErrors.make('malformed', { reason: 'json' });
  }
}

/** A payload that is a JSON object. @throws wire/malformed with `reason` utf8, depth, json or no-object */
export function decodeObject(bytes: Uint8Array): object {
  const value = decodePayload(bytes);
  // TypeBox takes an array for an object whose schema has no required keys.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wireErrors.make('malformed', { reason: 'no-object' });
}

/** The payload of an extension frame. @throws wire/malformed as {@link decodeObject}, or with `reason` envelope */
export function decodeEnvelope(bytes: Uint8Array): { readonly name: string; readonly body: unknown } {
  const { name, body }: { name?: unknown; body?: unknown } = decodeObject(bytes);
  if (typeof name === 'string' && body !== undefined) return { name, body };
  throw wireErrors.make('malformed', { reason: 'envelope' });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings. Strings are skipped with `indexOf`, so that a long base64 field costs nearly nothing. */
function deeperThan(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x5b:
      case 0x7b:
        if (++depth > limit) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
      case QUOTE:
        at = endOfString(text, at + 1);
        break;
    }
  }
  return false;
}

function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let before = quote - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - 1 - before) % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}
