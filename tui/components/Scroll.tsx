import { Box, Text } from 'ink';
import { type ReactNode, useLayoutEffect } from 'react';
import type { UiSession } from '../session.ts';
import { THEME } from '../theme.ts';
import { Line } from './Line.tsx';

export interface ScrollProps {
  readonly session: UiSession;
  readonly rows: number;
  readonly scroll: number;
  readonly lines: readonly ReactNode[];
}

/** Lines that may be more than fit: shows a part and how far down it is. */
export function Scroll({ session, rows, scroll, lines }: ScrollProps) {
  const fits = lines.length <= rows;
  const shown = fits ? rows : Math.max(1, rows - 1);
  const scrollMax = Math.max(0, lines.length - shown);
  const from = Math.min(scroll, scrollMax);
  useLayoutEffect(() => {
    Object.assign(session.view, { scrollMax, pageRows: shown });
  });
  return (
    <Box flexDirection="column" height={rows} overflow="hidden">
      {lines.slice(from, from + shown).map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
        <Line key={from + index}>{line === '' ? ' ' : line}</Line>
      ))}
      {fits ? null : (
        <Text color={THEME.dim}>{`  ${from + 1}–${Math.min(lines.length, from + shown)} of ${lines.length}`}</Text>
      )}
    </Box>
  );
}
