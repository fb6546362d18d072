import { components, type Graph } from './graph.ts';
import type { World } from './world.ts';

/** A machine that was just switched on is not lost yet. */
const GRACE_MS = 60_000;

/** The network at one instant, for checks and the report. */
export interface Snapshot {
  /** Machines that have been on for a minute, or are connected already, and their live connections of any lasting kind. */
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
    const fresh = world.elapsedMs - machine.startedAtMs < GRACE_MS;
    if (near.size > 0 || !fresh) graph.set(machine.number, near);
    meshOf.set(machine.number, mesh);
  }
  // What one end has lost and the other not noticed yet is no connection.
  for (const [number, near] of graph) {
    for (const other of near) if (graph.get(other)?.has(number) !== true) near.delete(other);
  }
  return { graph, partitions: components(graph), meshOf, meshCounts: [...meshOf.values()].sort((a, b) => a - b) };
}
