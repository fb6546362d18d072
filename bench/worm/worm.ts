import { seededRandom } from '../../kernel/clock/random.ts';
import { type ModelOutcome, type Quarry, WormModel } from './model.ts';
import { distances, growTopology, joined, type Topology } from './topology.ts';

const NODES = 10_000;
const SEARCHES = 300;

export interface WormFigures {
  readonly what: string;
  readonly searches: number;
  /** Share of searches that ended with a proven holder. */
  readonly success: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Queries of the searching node: median and most. */
  readonly relayHops: number;
  readonly relayHopsMax: number;
  /** All queries of one search, mean and most, and what flooding the mesh would take. */
  readonly queries: number;
  readonly queriesMax: number;
  readonly flooding: number;
  /** Share of the network that handled a search which went to its end. */
  readonly coverage: number;
}

interface Case {
  readonly what: string;
  readonly topology: Topology;
  readonly undialable?: number;
  readonly liars?: number;
  quarry(random: ReturnType<typeof seededRandom>): Quarry;
}

/**
 * Searches for what lies outside the searching node's N3, over 10,000 nodes. With 101 slots everything
 * that lists tell of is within three hops, so what is left are newcomers and content.
 * `only`: parts of the names of the cases that are run.
 */
export function measureWorm(
  seed: number | string = 1,
  searches = SEARCHES,
  only: readonly string[] = [''],
): WormFigures[] {
  const full = growTopology({ nodes: NODES, slots: 101, random: seededRandom(`${seed}/full`) });
  const narrow = growTopology({ nodes: NODES, slots: 15, random: seededRandom(`${seed}/narrow`) });
  const cases: Case[] = [
    { what: 'node outside N3, 15 slots', topology: narrow, quarry: (r) => settled(narrow, r) },
    ...[1, 3, 5, 10].map((links) => ({
      what: `node just joined, ${links} links, 101 slots`,
      topology: full,
      quarry: (r: ReturnType<typeof seededRandom>) => newcomer(full, links, r),
    })),
    ...[1, 5, 10].map((holders) => ({
      what: `post, ${holders} know of it, 101 slots`,
      topology: full,
      quarry: (r: ReturnType<typeof seededRandom>) => content(full, holders, r),
    })),
    {
      what: 'node just joined, 10 links, 3 in 10 undialable',
      topology: full,
      undialable: 0.3,
      quarry: (r) => newcomer(full, 10, r),
    },
    {
      what: 'node just joined, 10 links, 2 in 100 lie',
      topology: full,
      liars: 0.02,
      quarry: (r) => newcomer(full, 10, r),
    },
  ];
  const chosen = cases.filter(({ what }) => only.some((part) => what.includes(part)));
  return chosen.map((one) => measure(one, seededRandom(`${seed}/${one.what}`), searches));
}

function measure(
  { what, topology, quarry, ...faults }: Case,
  random: ReturnType<typeof seededRandom>,
  searches: number,
): WormFigures {
  const model = new WormModel({ topology, random, ...faults });
  const outcomes: ModelOutcome[] = [];
  while (outcomes.length < searches) {
    const target = quarry(random);
    const origin = random.integer(topology.nodes);
    if (target.known[origin] === 1 || !model.isAlive(origin)) continue;
    outcomes.push(model.search(origin, target));
  }
  const found = outcomes.filter(({ finding }) => finding?.honest === true);
  const missed = outcomes.filter(({ finding }) => finding === undefined);
  const times = sorted(outcomes.map(({ tookMs }) => tookMs));
  const hops = sorted(outcomes.map(({ relayHops }) => relayHops));
  const queries = sorted(outcomes.map((outcome) => outcome.queries));
  const links = topology.peers.reduce((sum, peers) => sum + peers.length, 0);
  return {
    what,
    searches,
    success: found.length / searches,
    medianMs: Math.round(at(times, 0.5)),
    p99Ms: Math.round(at(times, 0.99)),
    maxMs: Math.round(at(times, 1)),
    relayHops: at(hops, 0.5),
    relayHopsMax: at(hops, 1),
    queries: Math.round(queries.reduce((sum, one) => sum + one, 0) / searches),
    queriesMax: at(queries, 1),
    // Each node hands the query on to all its peers but the one it came from.
    flooding: links - topology.nodes + 1,
    coverage:
      missed.length === 0 ? 0 : missed.reduce((sum, { covered }) => sum + covered, 0) / missed.length / topology.nodes,
  };
}

/** Has been there for long: whoever is within three hops knows it. */
function settled(topology: Topology, random: { integer(below: number): number }): Quarry {
  const holder = random.integer(topology.nodes);
  return { holder, known: distances(topology, holder, 3).map((hops) => (hops <= 3 ? 1 : 0)) };
}

/** Has just joined: no diff has told of it, and only its own peers know. */
function newcomer(topology: Topology, links: number, random: Parameters<typeof joined>[2]): Quarry {
  const { peers } = joined(topology, links, random);
  const known = new Uint8Array(topology.nodes);
  for (const peer of peers) known[peer] = 1;
  // The model has no row for it: its first peer stands in for how far away it is.
  return { holder: peers[0] as number, known };
}

/** A post that so many nodes hold or know a holder of; no list tells of it. */
function content(topology: Topology, holders: number, random: Parameters<typeof joined>[2]): Quarry {
  return newcomer(topology, holders, random);
}

function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b);
}

function at(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
}
