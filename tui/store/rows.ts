/** A piece of a row: text as it is, or a node that can be opened. */
export type Part = string | { readonly nodeId: string };

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'dim';

/** One column of a row. */
export interface Cell {
  /** In characters; without it the column shares what the others leave. */
  readonly width: number | undefined;
  readonly parts: readonly Part[];
}

/** A line that may name nodes, each of which the cursor can stop at and enter opens (UI-16). */
export interface Row {
  readonly atMs: number | undefined;
  /** What it is about, in a word; a row with a tag and no parts is a title. */
  readonly tag: string;
  readonly tone: Tone;
  readonly parts: readonly Part[];
  /** The parts by column, in a table; a row with cells and no parts is its head. */
  readonly cells?: readonly Cell[];
  /** What the row was made from: actions take their params from it. */
  readonly source?: unknown;
}

/** Where the cursor is: a row, and the part of it that names a node, where it names one. */
export interface Stop {
  readonly row: number;
  readonly part: number | undefined;
}

/** Where the cursor can be: once for each node of a row, once in a row without any, never in a title. */
function stopsOf(row: Row): number {
  if (row.parts.length === 0) return 0;
  return Math.max(1, row.parts.filter((part) => typeof part !== 'string').length);
}

export function countStops(rows: readonly Row[]): number {
  return rows.reduce((count, row) => count + stopsOf(row), 0);
}

/** The place of the cursor's `index`th stop; the last one beyond the end. */
export function stopAt(rows: readonly Row[], index: number): Stop {
  let left = Math.max(0, Math.min(index, countStops(rows) - 1));
  for (const [at, row] of rows.entries()) {
    const stops = stopsOf(row);
    if (left < stops) {
      const nodes = row.parts.flatMap((part, place) => (typeof part === 'string' ? [] : [place]));
      return { row: at, part: nodes[left] };
    }
    left -= stops;
  }
  return { row: 0, part: undefined };
}

/** The node under the cursor. */
export function nodeAt(rows: readonly Row[], index: number): string | undefined {
  const { row, part } = stopAt(rows, index);
  const named = part === undefined ? undefined : rows[row]?.parts[part];
  return typeof named === 'object' ? named.nodeId : undefined;
}

/** The row as one text. */
export function rowText(row: Row, nameOf: (nodeId: string) => string): string {
  return row.parts.map((part) => (typeof part === 'string' ? part : nameOf(part.nodeId))).join('');
}
