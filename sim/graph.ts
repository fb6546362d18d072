/** Who is connected to whom, by machine number. */
export type Graph = ReadonlyMap<number, ReadonlySet<number>>;

/** Groups of machines that reach each other over any number of hops, the largest first. */
export function components(graph: Graph): readonly (readonly number[])[] {
  const seen = new Set<number>();
  const found: number[][] = [];
  for (const start of graph.keys()) {
    if (seen.has(start)) continue;
    seen.add(start);
    const group = [start];
    for (let at = 0; at < group.length; at++) {
      for (const next of graph.get(group[at] as number) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        group.push(next);
      }
    }
    found.push(group);
  }
  return found.sort((a, b) => b.length - a.length);
}

/** The value below which `share` of the sorted numbers lie; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
