/** What decides a contribution's place. */
export interface Placed {
  readonly name: string;
  readonly after?: readonly string[];
  readonly before?: readonly string[];
}

/**
 * Sorts by `after` and `before`; names decide what these leave open, so the order is the same on every
 * start and whoever comes first. Names that are not there count for nothing.
 *
 * Returns the names of a circle instead when there is one.
 */
export function orderContributions<T extends Placed>(entries: readonly T[]): readonly T[] | { circle: string[] } {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const earlier = new Map<string, Set<string>>(entries.map(({ name }) => [name, new Set()]));
  for (const { name, after = [], before = [] } of entries) {
    for (const other of after) if (byName.has(other)) earlier.get(name)?.add(other);
    for (const other of before) earlier.get(other)?.add(name);
  }
  const waiting = [...byName.keys()].sort();
  const ordered: T[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex((name) => earlier.get(name)?.size === 0);
    if (at === -1) return { circle: waiting };
    const [name] = waiting.splice(at, 1) as [string];
    ordered.push(byName.get(name) as T);
    for (const names of earlier.values()) names.delete(name);
  }
  return ordered;
}
