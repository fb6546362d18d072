import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const PLAIN = /^[\x20-\x7e]*$/;

/** What the reader sees as single characters. */
export function graphemes(text: string): string[] {
  if (PLAIN.test(text)) return [...text];
  return Array.from(GRAPHEMES.segment(text), (part) => part.segment);
}

/** Columns that `text` takes on the screen. */
export function columnsOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** Cuts to `width` columns, ending in an ellipsis when something is lost. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  if (columnsOf(text) <= width) return text;
  return `${takeColumns(text, width - 1).trimEnd()}…`;
}

/** Cuts or fills to exactly `width` columns. */
export function pad(text: string, width: number): string {
  const cut = truncate(text, width);
  return cut + ' '.repeat(Math.max(0, width - columnsOf(cut)));
}

export interface Wrapped {
  readonly lines: readonly string[];
  /** True when the text goes on past the last line. */
  readonly more: boolean;
}

/**
 * Breaks safe text into at most `maxLines` lines of at most `width` columns: at spaces where possible,
 * inside words longer than a line where not. Work is bounded by what is shown, not by the text.
 */
export function wrap(text: string, width: number, maxLines = Number.POSITIVE_INFINITY): Wrapped {
  const lines: string[] = [];
  for (const paragraph of paragraphs(text)) {
    for (const line of wrapParagraph(paragraph, Math.max(1, width))) {
      if (lines.length >= maxLines) return { lines, more: true };
      lines.push(line);
    }
  }
  return { lines, more: false };
}

function* paragraphs(text: string): Generator<string> {
  let start = 0;
  while (true) {
    const end = text.indexOf('\n', start);
    yield end < 0 ? text.slice(start) : text.slice(start, end);
    if (end < 0) return;
    start = end + 1;
  }
}

function* wrapParagraph(paragraph: string, width: number): Generator<string> {
  let rest = paragraph;
  while (rest.length > 0) {
    const fitting = takeColumns(rest, width);
    if (fitting.length === rest.length) break;
    // The break may fall on a space just past the edge, so look at one character more.
    const space = rest.lastIndexOf(' ', fitting.length);
    const cut = space > 0 ? space : fitting.length;
    yield rest.slice(0, cut).trimEnd();
    rest = rest.slice(cut).trimStart();
    if (rest.length === 0) return;
  }
  yield rest;
}

/** The longest beginning that fits `width` columns; at least one character, so that callers advance. */
function takeColumns(text: string, width: number): string {
  // Four units a column covers long emoji sequences; more would only be measured to be thrown away.
  const head = text.slice(0, width * 4 + 32);
  if (PLAIN.test(head)) return head.slice(0, Math.max(1, width));
  let used = 0;
  let end = 0;
  for (const { segment } of GRAPHEMES.segment(head)) {
    const columns = stringWidth(segment);
    if (used + columns > width && end > 0) break;
    used += columns;
    end += segment.length;
  }
  return head.slice(0, end);
}
