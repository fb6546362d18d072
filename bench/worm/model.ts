import type { Random } from '../../kernel/index.ts';
import { runRelay } from '../../plugins/worm-search/relay.ts';
import { runSearch, type SearchOutcome } from '../../plugins/worm-search/search.ts';
import type { Answer } from '../../plugins/worm-search/search-world.ts';
import { EventQueue } from './event-queue.ts';
import { Latency } from './latency.ts';
import type { Topology } from './topology.ts';

/** Somebody who may have the target; liars name what does not. */
interface Finding {
  readonly holder: number;
  readonly addressKnown: boolean;
  readonly honest: boolean;
}

interface Referral {
  readonly id: number;
  readonly from: number;
}

type ModelAnswer = Answer<Finding, Referral>;

/** What is looked for. */
export interface Quarry {
  /** 1 for each node that can say who has it, by its own connections and knowledge. */
  readonly known: Uint8Array;
  /** Who has it, for a node that knows; any may be named. */
  readonly holder: number;
}

export interface ModelOptions {
  readonly topology: Topology;
  readonly random: Random;
  /** Share of nodes that nobody can dial (their NAT, without punching). */
  readonly undialable?: number;
  /** Share of nodes that answer every query with a holder that has nothing. */
  readonly liars?: number;
}

export interface ModelOutcome extends SearchOutcome<Finding> {
  /** Queries handed to all nodes of the network, counted here and not by what nodes say. */
  readonly queries: number;
  /** Different nodes that handled the query. */
  readonly covered: number;
}

const NOTHING: ModelAnswer = { findings: [], referral: undefined, relayed: 0 };

/** Nodes as integers that run the plugin's own search over a network of delays: no frames, no JSON. */
export class WormModel {
  readonly #queue = new EventQueue();
  readonly #topology: Topology;
  readonly #random: Random;
  readonly #latency: Latency;
  readonly #undialable: Uint8Array;
  readonly #liars: Uint8Array;
  /** The last search each node has handled (WORM-09), and relayed. */
  readonly #handled: Int32Array;
  readonly #relayedFor: Int32Array;
  #search = 0;
  #queries = 0;
  #covered = 0;

  constructor({ topology, random, undialable = 0, liars = 0 }: ModelOptions) {
    this.#topology = topology;
    this.#random = random;
    this.#latency = new Latency(random);
    this.#handled = new Int32Array(topology.nodes);
    this.#relayedFor = new Int32Array(topology.nodes);
    this.#undialable = Uint8Array.from({ length: topology.nodes }, () => Number(random.float() < undialable));
    this.#liars = Uint8Array.from({ length: topology.nodes }, () => Number(random.float() < liars));
  }

  isAlive(id: number): boolean {
    return !this.#latency.isDead(id);
  }

  search(origin: number, quarry: Quarry): ModelOutcome {
    this.#search += 1;
    this.#queries = 0;
    this.#covered = 0;
    this.#handled[origin] = this.#search;
    let outcome: SearchOutcome<Finding> | undefined;
    const peers = this.#peers(origin);
    runSearch<number, Finding, Referral>(
      {
        clock: this.#queue,
        random: this.#random,
        local: () => (quarry.known[origin] === 1 ? [this.#finding(origin, quarry)] : []),
        peers: () => peers,
        ask: (peer, limitMs, reply) => this.#ask(origin, peer, quarry, true, limitMs, reply),
        findingKey: ({ holder }) => holder,
        referralKey: ({ id }) => id,
        nova: (referral, limitMs, reply) => {
          if (referral.id === origin || peers.includes(referral.id)) return false;
          this.#nova(origin, referral, quarry, limitMs, reply);
          return true;
        },
        verify: (finding, limitMs, done) => this.#verify(origin, finding, limitMs, done),
        distrust: () => 0,
      },
      (ended) => {
        outcome = ended;
      },
    );
    this.#queue.run(() => outcome !== undefined);
    this.#queue.clear();
    return { ...(outcome as unknown as SearchOutcome<Finding>), queries: this.#queries, covered: this.#covered };
  }

  #peers(id: number): readonly number[] {
    return this.#topology.peers[id] as readonly number[];
  }

  #finding(by: number, quarry: Quarry): Finding {
    if (this.#liars[by] === 1) return { holder: -1 - by, addressKnown: by % 2 === 0, honest: false };
    return { holder: quarry.holder, addressKnown: this.#random.float() < 0.5, honest: true };
  }

  #knows(id: number, quarry: Quarry): boolean {
    return quarry.known[id] === 1 || this.#liars[id] === 1;
  }

  #ask(
    from: number,
    to: number,
    quarry: Quarry,
    refer: boolean,
    limitMs: number,
    reply: (answer: ModelAnswer | undefined) => void,
  ): void {
    this.#queries += 1;
    if (this.#latency.isDead(to)) return;
    const tookMs = this.#latency.exchange(from, to);
    const isFirst = this.#handled[to] !== this.#search;
    this.#handled[to] = this.#search;
    if (isFirst) this.#covered += 1;
    if (tookMs > limitMs) return;
    const findings = isFirst && this.#knows(to, quarry) ? [this.#finding(to, quarry)] : [];
    const answer = findings.length === 0 && !refer ? NOTHING : { ...NOTHING, findings, referral: this.#refer(to) };
    this.#queue.after(tookMs, () => reply(answer));
  }

  /** A random peer of a random peer that is not a peer. */
  #refer(id: number): Referral | undefined {
    const mine = this.#peers(id);
    for (let tries = 0; tries < 4; tries++) {
      const theirs = this.#peers(mine[this.#random.integer(mine.length)] as number);
      const chosen = theirs[this.#random.integer(theirs.length)] as number;
      if (chosen !== id && !mine.includes(chosen)) return { id: chosen, from: id };
    }
    return undefined;
  }

  /** Who referred us asks its own peer for the address (0x03); then a handshake and the first exchange. */
  #nova(
    origin: number,
    { id, from }: Referral,
    quarry: Quarry,
    limitMs: number,
    reply: (answer: ModelAnswer | undefined) => void,
  ): void {
    this.#queries += 1;
    if (this.#latency.isDead(id) || this.#undialable[id] === 1) return;
    const mine = this.#peers(from);
    const reporter = mine[this.#random.integer(mine.length)] as number;
    const resolveMs = this.#latency.exchange(origin, from) + this.#latency.exchange(from, reporter);
    const connectMs = 2 * this.#latency.exchange(origin, id);
    const roundTripMs = this.#latency.exchange(origin, id);
    const startMs = this.#queue.monotonic();
    this.#queue.after(resolveMs + connectMs + roundTripMs / 2, () => {
      if (this.#relayedFor[id] === this.#search) return this.#queue.after(roundTripMs / 2, () => reply(NOTHING));
      this.#relayedFor[id] = this.#search;
      const isFirst = this.#handled[id] !== this.#search;
      if (isFirst) this.#covered += 1;
      this.#handled[id] = this.#search;
      runRelay<number, Finding, Referral>(
        {
          clock: this.#queue,
          local: () => (this.#knows(id, quarry) ? [this.#finding(id, quarry)] : []),
          peers: () => this.#peers(id),
          ask: (peer, askLimitMs, answered) => this.#ask(id, peer, quarry, false, askLimitMs, answered),
        },
        (findings, asked) => {
          const tookMs = this.#queue.monotonic() - startMs + roundTripMs / 2;
          if (tookMs > limitMs) return;
          this.#queue.after(roundTripMs / 2, () => reply({ findings, referral: undefined, relayed: asked }));
        },
      );
    });
  }

  /** Dials the holder; who named it without an address is asked for one first. */
  #verify(origin: number, finding: Finding, limitMs: number, done: (proven: boolean) => void): void {
    if (!finding.honest) {
      // Half of what liars name answers and is somebody else; the other half is silent.
      const tookMs = finding.addressKnown ? 2 * this.#latency.exchange(origin, -finding.holder) : limitMs;
      this.#queue.after(Math.min(limitMs, tookMs), () => done(false));
      return;
    }
    const resolveMs = finding.addressKnown ? 0 : this.#latency.exchange(origin, finding.holder + 1);
    const tookMs = resolveMs + 3 * this.#latency.exchange(origin, finding.holder);
    this.#queue.after(Math.min(limitMs, tookMs), () => done(tookMs <= limitMs));
  }
}
