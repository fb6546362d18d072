/** What the keys of a list move, whatever the list shows. */
export interface ListCursor {
  move(delta: number): void;
  first(): void;
  last(): void;
}

/** The index `delta` away, held within a list of `length`; 0 for an empty one. */
export function moveCursor(index: number, delta: number, length: number): number {
  return Math.max(0, Math.min(length - 1, index + delta));
}
