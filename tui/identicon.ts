import { HUES, THEME } from './theme.ts';

/** Columns an identicon takes; it is two lines high. */
export const IDENTICON_COLUMNS = 5;

export interface Identicon {
  readonly lines: readonly [string, string];
  readonly color: string;
}

const HALVES = [' ', '▄', '▀', '█'] as const;

/**
 * A small mirrored picture of a NodeId: 5 × 4 dots drawn with half blocks. The same id always draws
 * the same picture and colour (UI-25).
 */
export function identicon(nodeId: string): Identicon {
  const bytes = Buffer.from(nodeId.slice(0, 32), 'hex');
  if (bytes.length < 6) return { lines: ['▗▄▄▄▖', '▝▀▀▀▘'], color: THEME.dim };
  // Three columns of four dots, the other two are their mirror image.
  const dots = bytes.readUInt16BE(0) & 0xfff;
  // A picture with few dots says little: it is shown inverted.
  const seen = dots.toString(2).replaceAll('0', '').length < 5 ? ~dots & 0xfff : dots;
  const dot = (column: number, row: number) => (seen >> (Math.min(column, 4 - column) * 4 + row)) & 1;
  const line = (row: number) =>
    Array.from(
      { length: 5 },
      (_, column) => HALVES[((dot(column, row) << 1) | dot(column, row + 1)) as 0 | 1 | 2 | 3],
    ).join('');
  return { lines: [line(0), line(2)], color: colorOf(nodeId) };
}

/** The colour of a person everywhere on the screen. */
export function colorOf(nodeId: string): string {
  const byte = Number.parseInt(nodeId.slice(10, 14), 16);
  return HUES[(Number.isNaN(byte) ? 0 : byte) % HUES.length] ?? THEME.accent;
}
