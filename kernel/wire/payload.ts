import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
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

export interface Validator {
  check(value: unknown): boolean;
  /** Where and why `value` does not match, in a few words. Slow. */
  explain(value: unknown): string;
}

const compiled = new WeakMap<TSchema, Validator>();

/** The compiled form of a schema; compiled once per schema object. */
export function validatorOf(schema: TSchema): Validator {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    const program = Compile(schema);
    validator = {
      check: (value) => program.Check(value),
      explain: (value) => {
        const first = program.Errors(value)[0];
        return first === undefined ? 'valid' : `${first.instancePath || '/'} ${first.message}`;
      },
    };
    compiled.set(schema, validator);
  }
  return validator;
}
