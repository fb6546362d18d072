import { components, type Graph } from './graph.ts';
import type { World } from './world.ts';

/** The network at one instant, for checks and the report. */
export interface Snapshot {
  /** Machines that are on and their live connections of any lasting kind, both ends on. */
  readonly graph: Graph;
  readonly partitions: readonly (readonly number[])[];
  /** Mesh connections of each machine that is on, rising. */
  readonly meshCounts: readonly number[];
  /** The same by machine. */
  readonly meshOf: ReadonlyMap<number, number>;
}

export function takeSnapshot(world: World): Snapshot {
  const graph = new Map<number, Set<number>>();
  const meshOf = new Map<number, number>();
  for (const machine of world.up()) {
    const near = new Set<number>();
    let mesh = 0;
    for (const { kind, peer } of machine.node?.network.connections() ?? []) {
      const other = world.machineOf(peer.nodeId);
      if (kind === 'mesh') mesh++;
      if (kind !== 'ephemeral' && other?.node !== undefined) near.add(other.number);
    }
    graph.set(machine.number, near);
    meshOf.set(machine.number, mesh);
  }
  return { graph, partitions: components(graph), meshOf, meshCounts: [...meshOf.values()].sort((a, b) => a - b) };
}
