import type { Random } from '../../kernel/index.ts';

export interface TopologyOptions {
  readonly nodes: number;
  /** Mesh slots of each node. */
  readonly slots: number;
  readonly random: Random;
}

/** Who is whose mesh peer, ids interned as 0 to nodes - 1. */
export interface Topology {
  readonly nodes: number;
  readonly peers: readonly (readonly number[])[];
}

/** Candidates weighed for each slot: a node hears of thousands, and this many are as good to choose from. */
const CANDIDATES = 12;
/** Peers a node has from its bootstrap before it grows. */
const BOOTSTRAP_PEERS = 3;

/**
 * Grows a mesh as nodes do: each joins by a node that is there, and fills its slots from its peers'
 * peers, those first that the fewest of its peers report (CONN-02). A node that is full refuses.
 */
export function growTopology({ nodes, slots, random }: TopologyOptions): Topology {
  const peers: number[][] = Array.from({ length: nodes }, () => []);
  const mark = new Int32Array(nodes).fill(-1);
  const isPeer = (a: number, b: number): boolean => list(a).includes(b);
  const list = (id: number): number[] => peers[id] as number[];
  const pick = (ids: readonly number[]): number => ids[random.integer(ids.length)] as number;
  const connect = (a: number, b: number): boolean => {
    if (a === b || list(a).length >= slots || list(b).length >= slots || isPeer(a, b)) return false;
    list(a).push(b);
    list(b).push(a);
    return true;
  };

  for (let id = 1; id < nodes; id++) {
    const wanted = Math.min(id, BOOTSTRAP_PEERS);
    for (let tries = 0; list(id).length < wanted && tries < 20; tries++) {
      const introducer = random.integer(id);
      if (!connect(id, introducer)) connect(id, pick(list(introducer)));
    }
  }
  const growOne = (id: number): boolean => {
    for (const peer of list(id)) mark[peer] = id;
    let best = -1;
    let bestReporters = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < CANDIDATES; tries++) {
      const candidate = pick(list(pick(list(id))));
      if (candidate === id || mark[candidate] === id || list(candidate).length >= slots) continue;
      let reporters = 0;
      for (const peer of list(candidate)) if (mark[peer] === id) reporters++;
      if (reporters < bestReporters) {
        best = candidate;
        bestReporters = reporters;
      }
    }
    for (const peer of list(id)) mark[peer] = -1;
    return best >= 0 && connect(id, best);
  };
  for (let round = 0; round < slots; round++) {
    let grown = 0;
    for (let id = 0; id < nodes; id++) if (list(id).length < slots && growOne(id)) grown++;
    if (grown === 0) break;
  }
  return { nodes, peers };
}

/** Adds a node with this many random peers, as one that has just joined; gives its id. Slots are not counted. */
export function joined(topology: Topology, links: number, random: Random): { id: number; peers: readonly number[] } {
  const chosen = new Set<number>();
  while (chosen.size < links) chosen.add(random.integer(topology.nodes));
  return { id: topology.nodes, peers: [...chosen] };
}

/** Distance in hops from `start` to every node, 255 beyond `limit`. */
export function distances({ nodes, peers }: Topology, start: number, limit: number): Uint8Array {
  const hops = new Uint8Array(nodes).fill(255);
  hops[start] = 0;
  let edge = [start];
  for (let hop = 1; hop <= limit && edge.length > 0; hop++) {
    const next: number[] = [];
    for (const id of edge) {
      for (const peer of peers[id] as readonly number[]) {
        if (hops[peer] !== 255) continue;
        hops[peer] = hop;
        next.push(peer);
      }
    }
    edge = next;
  }
  return hops;
}
