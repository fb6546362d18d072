import { distances, type Topology } from '../bench/worm/topology.ts';
import { seededRandom } from '../kernel/clock/random.ts';
import type { Random } from '../kernel/sdk/clock.ts';
import type { NodeId } from '../kernel/sdk/identifiers.ts';
import type { Attempt, GrowthOutcome } from '../plugins/mesh/growth/attempt.ts';
import { Growth } from '../plugins/mesh/growth/growth.ts';
import type { Candidate } from '../plugins/routing/contract.ts';
import { quantile } from './graph.ts';

export interface GrowthModelOptions {
  readonly nodes: number;
  readonly slots: number;
  readonly minutes: number;
  readonly seed: number | string;
}

/** What came of it. Hops and coverage are of 50 nodes at random. */
export interface GrowthFigures {
  readonly what: string;
  readonly slotsMin: number;
  readonly slotsMedian: number;
  /** Share of nodes with nine tenths of their slots. */
  readonly wellConnected: number;
  readonly partitions: number;
  /** Seconds until 99 % of the nodes had nine tenths; the whole time when they never had. */
  readonly settledS: number;
  /** Nodes asked for each slot that was filled. */
  readonly asksPerSlot: number;
  /** Share of the network within two and three hops. */
  readonly within2: number;
  readonly within3: number;
}

/** A node asks three others at once, and an answer takes about this long. */
const ROUND_MS = 1_000;
const ASKS_A_ROUND = 3;
const ARRIVE_WITHIN_ROUNDS = 60;
const TICK_ROUNDS = 60;
/** Lists go out ten seconds after a change at the earliest. */
const SHARE_ROUNDS = 10;
const REFERRALS = 4;
const SAMPLES = 50;

/** Nodes by their number that run mesh's own growth over tables of who is whose peer: no frames, no clock. */
export class GrowthModel {
  readonly #options: GrowthModelOptions;
  readonly #random: Random;
  readonly #growth: Growth[] = [];
  readonly #peers: Set<number>[] = [];
  /** Who a node's peers are connected to, while its candidates are counted. */
  readonly #reporters: Uint16Array;
  /** Nodes that have heard something new. */
  readonly #fresh: Uint8Array;
  #nowMs = 0;
  #asks = 0;

  constructor(options: GrowthModelOptions) {
    this.#options = options;
    this.#random = seededRandom(`${options.seed}/growth`);
    this.#reporters = new Uint16Array(options.nodes);
    this.#fresh = new Uint8Array(options.nodes);
  }

  run(): GrowthFigures {
    const { nodes, slots, minutes } = this.#options;
    const rounds = Math.round((minutes * 60_000) / ROUND_MS);
    let settledS = rounds * (ROUND_MS / 1_000);
    for (let round = 0; round < rounds; round++) {
      this.#nowMs += ROUND_MS;
      const present = Math.min(nodes, Math.ceil(((round + 1) * nodes) / ARRIVE_WITHIN_ROUNDS));
      while (this.#peers.length < present) this.#arrive();
      for (let id = 0; id < present; id++) this.#live(id, round);
      const isSettled = present === nodes && this.#wellConnected() >= 0.99;
      if (isSettled && settledS > round) settledS = round;
    }
    const sizes = this.#peers.map((peers) => peers.size).sort((a, b) => a - b);
    const filled = sizes.reduce((sum, size) => sum + size, 0) / 2;
    return {
      what: `${nodes} nodes, ${slots} slots`,
      slotsMin: sizes[0] ?? 0,
      slotsMedian: quantile(sizes, 0.5),
      wellConnected: this.#wellConnected(),
      settledS,
      asksPerSlot: this.#asks / filled,
      ...this.#distances(),
    };
  }

  /** Node ids are numbers here: growth does nothing with them but compare. */
  #arrive(): void {
    const id = this.#peers.length;
    this.#peers.push(new Set());
    const growth = new Growth({
      clock: { now: () => this.#nowMs },
      room: () => ({ used: this.#of(id).size, limit: this.#options.slots }),
      isUnwanted: (other) => Number(other) === id || this.#of(id).has(Number(other)),
      knowledge: {
        candidates: (limit, isExcluded) => this.#candidates(id, limit, isExcluded),
        reporters: (other) => [...this.#of(id)].filter((peer) => this.#of(peer).has(Number(other))).map(named),
      },
    });
    this.#growth.push(growth);
    // What an anchor would refer it to.
    for (let count = 0; count < REFERRALS && id > 0; count++) {
      growth.offer({ nodeId: named(this.#random.integer(id)), addresses: [], from: named(0) });
    }
  }

  #live(id: number, round: number): void {
    const growth = this.#growth[id] as Growth;
    if (round % TICK_ROUNDS === id % TICK_ROUNDS) growth.tick();
    if (this.#fresh[id] === 1 && round % SHARE_ROUNDS === id % SHARE_ROUNDS) {
      this.#fresh[id] = 0;
      growth.learned();
    }
    for (let asks = 0; asks < ASKS_A_ROUND; asks++) {
      const attempt = growth.next();
      if (attempt === undefined) return;
      this.#asks++;
      growth.settled(attempt, this.#ask(id, attempt));
    }
  }

  #ask(id: number, { nodeId }: Attempt): GrowthOutcome {
    const other = Number(nodeId);
    if (this.#of(other).size < this.#options.slots || this.#makesRoom(id, other)) {
      this.#connect(id, other);
      return 'joined';
    }
    const peers = [...this.#of(other)];
    const alternative = peers.at(-1 - this.#random.integer(Math.min(8, peers.length))) as number;
    this.#growth[id]?.redirected({ nodeId: named(alternative), addresses: [], from: nodeId });
    return 'refused';
  }

  /** What `slots/handover.ts` comes to, without its messages, refusals and daily share: two full peers part for who found only full ones. */
  #makesRoom(id: number, full: number): boolean {
    const { slots } = this.#options;
    const isShort = this.#of(id).size < slots * 0.9;
    if (!isShort || this.#growth[id]?.findsOnlyFull !== true) return false;
    const partners = [...this.#of(full)].filter((peer) => this.#of(peer).size >= slots && !this.#of(peer).has(id));
    const partner = partners[this.#random.integer(Math.max(1, partners.length))];
    if (partner === undefined || partner === id) return false;
    this.#of(full).delete(partner);
    this.#of(partner).delete(full);
    if (this.#of(id).size + 1 < slots) this.#connect(id, partner);
    return true;
  }

  #connect(a: number, b: number): void {
    this.#of(a).add(b);
    this.#of(b).add(a);
    for (const end of [a, b]) {
      this.#fresh[end] = 1;
      for (const peer of this.#of(end)) this.#fresh[peer] = 1;
    }
  }

  /** Those of N2 that the fewest peers report, in random order; all of N2 is walked over. */
  #candidates(id: number, limit: number, isExcluded: (nodeId: NodeId) => boolean = () => false): Candidate[] {
    const counts = this.#reporters;
    const own = this.#of(id);
    const found: number[] = [];
    for (const peer of own) {
      for (const other of this.#of(peer)) {
        if (other === id) continue;
        if (counts[other] === 0) found.push(other);
        counts[other] = (counts[other] as number) + 1;
      }
    }
    const ranked: { nodeId: NodeId; reporterCount: number; inN3: boolean }[] = [];
    const start = found.length === 0 ? 0 : this.#random.integer(found.length);
    for (let wanted = 1; ranked.length < limit && wanted <= own.size; wanted++) {
      for (let at = 0; at < found.length && ranked.length < limit; at++) {
        const other = found[(start + at) % found.length] as number;
        if (counts[other] !== wanted || own.has(other) || isExcluded(named(other))) continue;
        let inN3 = false;
        for (const near of this.#of(other)) {
          if ((counts[near] as number) > 0 && !own.has(near)) {
            inN3 = true;
            break;
          }
        }
        ranked.push({ nodeId: named(other), reporterCount: wanted, inN3 });
      }
    }
    for (const other of found) counts[other] = 0;
    return ranked;
  }

  #wellConnected(): number {
    const wanted = 0.9 * Math.min(this.#options.slots, this.#options.nodes - 1);
    return this.#peers.filter((peers) => peers.size >= wanted).length / this.#options.nodes;
  }

  #distances(): { within2: number; within3: number; partitions: number } {
    const { nodes } = this.#options;
    const topology: Topology = { nodes, peers: this.#peers.map((peers) => [...peers]) };
    let [within2, within3] = [0, 0];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const hops = distances(topology, this.#random.integer(nodes), 3);
      for (const hop of hops) {
        if (hop <= 2) within2++;
        if (hop <= 3) within3++;
      }
    }
    let partitions = 0;
    const seen = new Uint8Array(nodes);
    for (let id = 0; id < nodes; id++) {
      if (seen[id] === 1) continue;
      partitions++;
      const hops = distances(topology, id, 254);
      for (let other = 0; other < nodes; other++) if (hops[other] !== 255) seen[other] = 1;
    }
    const pairs = SAMPLES * nodes;
    return { within2: within2 / pairs, within3: within3 / pairs, partitions };
  }

  #of(id: number): Set<number> {
    return this.#peers[id] as Set<number>;
  }
}

function named(id: number): NodeId {
  return id as unknown as NodeId;
}
