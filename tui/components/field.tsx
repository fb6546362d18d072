import { Text } from 'ink';
import type { ReactNode } from 'react';
import { THEME } from '../theme.ts';
import { pad, wrap } from '../wrap.ts';

/** A label and its value, on as many lines as that takes. */
export function field(label: string, value: string, columns: number): ReactNode[] {
  return wrap(value, columns - 12).lines.map((line, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
    <Text key={`${label} ${index}`}>
      <Text color={THEME.dim}>{pad(index === 0 ? label : '', 12)}</Text>
      {line}
    </Text>
  ));
}
