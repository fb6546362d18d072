export interface SyntaxFault {
  readonly line: number;
  readonly column: number;
  readonly detail: string;
}

/** Parses JSON; what is wrong comes with its place, counted from 1. */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: SyntaxFault } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    // V8 tells the position of some faults only, so it is searched: the shortest beginning of the
    // text that no further text could complete ends with the character at fault.
    let good = 0;
    let bad = text.length + 1;
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      if (middle <= text.length && canContinue(text.slice(0, middle))) good = middle;
      else bad = middle;
    }
    const lines = text.slice(0, good).split('\n');
    const found =
      good >= text.length ? 'the text ends too early' : `${JSON.stringify(text[good])} does not belong here`;
    return { fault: { line: lines.length, column: (lines.at(-1) as string).length + 1, detail: found } };
  }
}

function canContinue(start: string): boolean {
  try {
    JSON.parse(start);
    return true;
  } catch (error) {
    const { message } = error as SyntaxError;
    if (/end of JSON input|Unterminated string/.test(message)) return true;
    const position = /at position (\d+)/.exec(message)?.[1];
    return position !== undefined && Number(position) >= start.length;
  }
}
