export interface ListWindow {
  readonly first: number;
  /** One past the last shown item. */
  readonly end: number;
}

/**
 * Which items of a list with lines of different height are shown in `rows` lines, so that the selected
 * one is whole and the view moves as little as possible. Looks at the shown items only.
 *
 * @param first where the view began before
 */
export function listWindow(
  count: number,
  heightAt: (index: number) => number,
  rows: number,
  selected: number,
  first: number,
): ListWindow {
  if (count === 0) return { first: 0, end: 0 };
  // The furthest up the view may begin with the selected item still whole at its end.
  let lowest = Math.min(selected, count - 1);
  let used = heightAt(lowest);
  while (lowest > 0 && used + heightAt(lowest - 1) <= rows) {
    lowest -= 1;
    used += heightAt(lowest);
  }
  const begin = Math.max(lowest, Math.min(first, selected));
  let end = begin;
  let filled = 0;
  while (end < count && filled + heightAt(end) <= rows) {
    filled += heightAt(end);
    end += 1;
  }
  // One item may be cut at the bottom edge: it shows that the list goes on.
  return { first: begin, end: end < count && filled < rows ? end + 1 : Math.max(end, begin + 1) };
}
