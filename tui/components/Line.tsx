import { Text } from 'ink';
import type { ReactNode } from 'react';

/** Exactly one line, cut at the edge of its box. */
export function Line({ children }: { readonly children?: ReactNode }) {
  return <Text wrap="truncate-end">{children ?? ' '}</Text>;
}
