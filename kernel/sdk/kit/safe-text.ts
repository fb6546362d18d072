import { stripVTControlCharacters } from 'node:util';

/** Longest text kept of one post, in UTF-16 units; the rest is cut and said so in the open post. */
export const TEXT_MAX_CHARS = 65_536;
/** Marks beyond this on one character are dropped: stacked marks paint over neighbouring lines. */
const MARKS_MAX = 3;

const CONTROLS = /[\p{Cc}--[\n]]/gv;
// Overrides, isolates and marks of direction reorder what a reader sees; joiners, fillers and tags hide text.
const INVISIBLE = /[\p{Cf}--[\u200d]]|[\u115f\u1160\u3164\uffa0\u2800\u{e0100}-\u{e01ef}]/gv;
// A joiner is kept only where it builds an emoji.
const STRAY_JOINER =
  /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d|\u200d(?!\p{Extended_Pictographic})/gv;
const UNPAINTABLE = /[\p{Co}\p{Cs}\p{Cn}]/gv;
const STACKED_MARKS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu');

/**
 * Text from the network as lines that are safe to paint: no escape sequence, control or direction
 * override reaches the terminal, and no mark leaves its cell. Line breaks stay, tabs become spaces.
 */
export function safeText(raw: unknown, maxChars = TEXT_MAX_CHARS): string {
  if (typeof raw !== 'string') return '';
  return stripVTControlCharacters(raw.slice(0, maxChars).replace(/\r\n?|[\u2028\u2029\u0085\v\f]/g, '\n'))
    .replaceAll('\t', '  ')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '')
    .replace(STRAY_JOINER, '')
    .replace(UNPAINTABLE, '\ufffd')
    .replace(STACKED_MARKS, '$1');
}

/** Longest line kept of a name, an address or an error. */
const LINE_MAX_CHARS = 200;

/** The same for what must stay on one line: names, addresses, error texts. */
export function safeLine(raw: unknown, maxChars = LINE_MAX_CHARS): string {
  return safeText(raw, maxChars).replace(/\s+/gu, ' ').trim();
}

/** The same of any length, for a printed line. */
export function oneLine(raw: string): string {
  return safeLine(raw, Number.POSITIVE_INFINITY);
}

const HIDDEN_IN_JSON = /[\x7f-\x9f\u2028\u2029]|[\p{Cf}\u115f\u1160\u3164\uffa0\u2800\u{e0100}-\u{e01ef}]/gv;

/** JSON of one line that reads as the same value, but shows what a terminal would obey or hide as `\\uXXXX`. */
export function safeJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(HIDDEN_IN_JSON, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}
