import { Box } from 'ink';
import { type ReactNode, useLayoutEffect, useRef } from 'react';
import type { UiSession } from '../session.ts';
import { listWindow } from './list-window.ts';

export interface ListProps<T> {
  readonly session: UiSession;
  readonly items: readonly T[];
  readonly selected: number;
  readonly rows: number;
  readonly heightOf: (item: T, index: number) => number;
  readonly keyOf: (item: T) => string;
  readonly children: (item: T, isSelected: boolean, index: number) => ReactNode;
}

/** A list of any length: only the items on the screen become components. */
export function List<T>({ session, items, selected, rows, heightOf, keyOf, children }: ListProps<T>) {
  const first = useRef(0);
  const heightAt = (index: number) => heightOf(items[index] as T, index);
  const shown = listWindow(items.length, heightAt, rows, selected, first.current);
  first.current = shown.first;
  useLayoutEffect(() => {
    session.view.pageItems = Math.max(1, shown.end - shown.first - 1);
  });
  return (
    <Box flexDirection="column" height={rows} overflow="hidden">
      {items.slice(shown.first, shown.end).map((item, offset) => {
        const index = shown.first + offset;
        return (
          <Box key={keyOf(item)} flexDirection="column" flexShrink={0} height={heightAt(index)}>
            {children(item, index === selected, index)}
          </Box>
        );
      })}
    </Box>
  );
}
