import { Type } from '../../../kernel/index.ts';
import type { Clock, NodeId, Static } from '../../../kernel/index.ts';
import type { Lead } from '../api.ts';
import type { Candidate } from '../knowledge/contract.ts';
import { Doubts } from './doubts.ts';

/** CONN-01: below this share of its slots a node grows on each list it gets, above it on the timer. */
export const REACTIVE_SHARE = 0.9;
/** CONN-04. It is also the number of attempts at once, so that ten dead candidates cost three dials. */
export const FAILURES_MAX = 3;
/** So many full nodes in a row, and growth waits for the timer. */
export const REFUSALS_MAX = 8;
/** So many of them, and it asks for room to be made: sooner it would wear out the readiness to. */
const REFUSALS_BEFORE_PLEA = 2;
/** For the last tenth of the slots it knocks less, and after each timer without success half as often. */
const LAST_REFUSALS_MAX = 2;
const TICKS_LEFT_OUT_MAX = 15;
/** A candidate that was not reached is left alone for so long, one that was full for shorter. */
const UNREACHABLE_MS = 30 * 60_000;
const REFUSED_MS = 5 * 60_000;
/** One that was full and was not asked to make room: the next timer may ask it to. */
const NOT_PLEADED_MS = 45_000;
/** Leads waiting, and those of one teller. */
const LEADS_MAX = 64;
const LEADS_OF_ONE_MAX = 4;
/** A chain of redirects ends here; the nodes of a circle are left alone before that. */
export const REDIRECTS_MAX = 3;
/** Candidates fetched at once, which costs a walk over N2. */
const POOL = 32;

/** What growth asks of knowledge; the light model has its own. */
export interface GrowthKnowledge {
  /** Best score first; without those connected, ourselves, and the excluded. */
  candidates(limit: number, isExcluded?: (nodeId: NodeId) => boolean): readonly Candidate[];
  /** Who named this candidate. */
  reporters(nodeId: NodeId): readonly NodeId[];
}

export interface GrowthDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly knowledge: GrowthKnowledge;
  /** Slots held or kept free for others, attempts of growth not counted; and how many there are. */
  room(): { readonly used: number; readonly limit: number };
  /** Ourselves, connected with a slot, blacklisted, held off. */
  isUnwanted(nodeId: NodeId): boolean;
}

/** A node to try now. */
export interface Attempt {
  readonly nodeId: NodeId;
  readonly why: 'candidate' | 'offered' | 'redirect';
  readonly score: number;
  /** Where it may be, on the word of `from`; without it the cascade finds it. */
  readonly lead?: Lead;
  /** Redirects that led here. */
  readonly redirects: number;
}

/** An attempt under way. */
interface Trying extends Attempt {
  /** It says that room is needed. */
  readonly pleads: boolean;
}

/** `refused`: it is there and has no slot for us. */
export type GrowthOutcome = 'joined' | 'refused' | 'unreachable';

/** What a swap hands over. */
export const GrowthState = Type.Object({
  failures: Type.Integer(),
  refusals: Type.Integer(),
  skipped: Type.Array(Type.Object({ nodeId: Type.String(), untilMs: Type.Number() })),
});
export type GrowthState = Static<typeof GrowthState>;

/** CONN-02: unique reach first, and what is not even in N3 before what is. */
export function scoreOf({ reporterCount, inN3 }: Candidate): number {
  return 1 / reporterCount + (inN3 ? 0 : 0.3);
}

/**
 * Decides whom to try for the mesh, and when to stop (CONN-01 to CONN-04). Pure: it dials nobody and
 * waits for nothing. Call a signal ({@link learned}, {@link tick}, {@link request}, {@link offer}), take
 * from {@link next} until it gives nothing, and say in {@link settled} what became of each.
 */
export class Growth {
  readonly #deps: GrowthDeps;
  readonly #doubts: Doubts;
  readonly #trying = new Map<NodeId, Trying>();
  readonly #leads: Attempt[] = [];
  #pool: Candidate[] = [];
  /** Knowledge has changed since the pool was filled. */
  #stale = true;
  /** Slots to fill now; 0 while there is no reason to grow. */
  #target = 0;
  #failures = 0;
  #refusals = 0;
  /** Full nodes since the last that took us in, over all rounds. */
  #fullInARow = 0;
  /** Timers to leave out, and how many were left out before the last one. */
  #leaveOut = 0;
  #leftOut = 0;

  constructor(deps: GrowthDeps) {
    this.#deps = deps;
    this.#doubts = new Doubts(deps.clock);
  }

  get trying(): number {
    return this.#trying.size;
  }

  /** True when full nodes were all that was found of late. */
  get findsOnlyFull(): boolean {
    return this.#fullInARow >= REFUSALS_BEFORE_PLEA;
  }

  /** Whether this node is to be asked to make room if it is full. */
  pleadsTo(nodeId: NodeId): boolean {
    return this.#trying.get(nodeId)?.pleads ?? false;
  }

  /** Each of them that is heard gives two slots: its own and one of its peer's. */
  get #pleading(): number {
    let count = 0;
    for (const { pleads } of this.#trying.values()) if (pleads) count++;
    return count;
  }

  /** A list came: grow at once, until the mesh is 90 % full. */
  learned(): void {
    const { used } = this.#deps.room();
    const reactive = this.#reactive;
    this.#stale = true;
    this.#failures = 0;
    if (used < reactive && this.#refusals < REFUSALS_MAX) this.#target = Math.max(this.#target, reactive);
  }

  /** The timer of 60 s: grow to the last slot. It does not end a back-off. */
  tick(): void {
    if (this.#isNearlyFull && this.#leaveOut > 0) {
      this.#leaveOut--;
      return;
    }
    this.#stale = true;
    this.#refusals = 0;
    this.#target = this.#deps.room().limit;
    this.#doubts.fade();
  }

  /** Somebody has reason to think that it is worth trying again: recovery, or a rebalance. */
  request(): void {
    this.#leaveOut = 0;
    this.#leftOut = 0;
    this.tick();
    this.#failures = 0;
  }

  /** A node worth trying before the candidates. False when it is not wanted or there are too many. */
  offer(lead: Lead): boolean {
    return this.#enqueue({ nodeId: lead.nodeId, why: 'offered', score: 0, lead, redirects: 0 });
  }

  /** `lead.from` is full and names another. A chain that is too long, or comes back, is not followed. */
  redirected(lead: Lead): boolean {
    const redirects = (this.#trying.get(lead.from)?.redirects ?? 0) + 1;
    if (redirects > REDIRECTS_MAX) return false;
    return this.#enqueue({ nodeId: lead.nodeId, why: 'redirect', score: 0, lead, redirects });
  }

  /** Whom to try now; `undefined` when there is nobody, no slot, no reason or too much failed. */
  next(): Attempt | undefined {
    const { used, limit } = this.#deps.room();
    const taken = used + this.#trying.size + this.#pleading;
    if (taken >= limit || this.#failures + this.#trying.size >= FAILURES_MAX) return undefined;
    const pick = this.#nextLead() ?? this.#nextCandidate(taken);
    if (pick !== undefined)
      this.#trying.set(pick.nodeId, { ...pick, pleads: this.findsOnlyFull && limit - taken >= 2 });
    return pick;
  }

  settled({ nodeId }: Attempt, outcome: GrowthOutcome): void {
    const { pleads = false } = this.#trying.get(nodeId) ?? {};
    this.#trying.delete(nodeId);
    const now = this.#deps.clock.now();
    const reporters = this.#deps.knowledge.reporters(nodeId);
    if (outcome === 'unreachable') {
      this.#failures++;
      this.#doubts.skip(nodeId, now + UNREACHABLE_MS);
      if (this.#doubts.blame(reporters)) {
        // What is in the pool may be its word alone.
        this.#pool = [];
        this.#stale = true;
      }
    } else {
      this.#failures = 0;
      this.#doubts.credit(reporters);
    }
    if (outcome === 'refused') {
      this.#doubts.skip(nodeId, now + (pleads ? REFUSED_MS : NOT_PLEADED_MS));
      this.#refusals++;
      this.#fullInARow++;
      if (this.#refusals >= (this.#isNearlyFull ? LAST_REFUSALS_MAX : REFUSALS_MAX)) this.#rest();
    }
    if (outcome === 'joined') {
      this.#refusals = 0;
      this.#fullInARow = 0;
      this.#leftOut = 0;
    }
  }

  get #reactive(): number {
    return Math.ceil(this.#deps.room().limit * REACTIVE_SHARE);
  }

  get #isNearlyFull(): boolean {
    return this.#deps.room().used >= this.#reactive;
  }

  /** The network seems full: wait for the timer, near the limit for more and more of them. */
  #rest(): void {
    if (this.#target > 0 && this.#isNearlyFull) {
      this.#leftOut = Math.min(TICKS_LEFT_OUT_MAX, this.#leftOut * 2 + 1);
      this.#leaveOut = this.#leftOut;
    }
    this.#target = 0;
  }

  /** Why it grows at this moment or does not, in words. */
  #verdict(): string {
    const { used, limit } = this.#deps.room();
    if (used >= limit) return 'the mesh is full';
    if (this.#trying.size > 0) return `trying ${this.#trying.size} now`;
    if (this.#failures >= FAILURES_MAX) return `stopped after ${this.#failures} failures, until a peer's list comes`;
    if (this.#leaveOut > 0) return `nearly full, leaves out ${this.#leaveOut} more timers`;
    if (this.#refusals > 0) return `the last ${this.#refusals} were full, waits for the timer`;
    return 'nobody left to try, waits for a list or the timer';
  }

  /** For `growth explain`. */
  explain(limit: number) {
    const { used, limit: slots } = this.#deps.room();
    return {
      verdict: this.#verdict(),
      used,
      slots,
      reactive_below: Math.ceil(slots * REACTIVE_SHARE),
      target: this.#target,
      trying: [...this.#trying.values()].map(({ nodeId, why, score }) => ({ node_id: nodeId as string, why, score })),
      leads: this.#leads.length,
      failures: this.#failures,
      refusals: this.#refusals,
      skipped: this.#doubts.skipped.size,
      blamed_reporters: this.#doubts.blamedReporters,
      candidates: this.#deps.knowledge
        .candidates(limit, (nodeId) => this.#isOut(nodeId))
        .map((candidate) => ({
          node_id: candidate.nodeId as string,
          score: scoreOf(candidate),
          reporters: candidate.reporterCount,
          in_n3: candidate.inN3,
        })),
    };
  }

  snapshot(): GrowthState {
    return {
      failures: this.#failures,
      refusals: this.#refusals,
      skipped: [...this.#doubts.skipped].map(([nodeId, untilMs]) => ({ nodeId, untilMs })),
    };
  }

  restore({ failures, refusals, skipped }: GrowthState): void {
    this.#failures = failures;
    this.#refusals = refusals;
    for (const { nodeId, untilMs } of skipped) this.#doubts.skip(nodeId as NodeId, untilMs);
  }

  #nextLead(): Attempt | undefined {
    for (let pick = this.#leads.shift(); pick !== undefined; pick = this.#leads.shift()) {
      if (!this.#isOut(pick.nodeId)) return pick;
    }
    return undefined;
  }

  #nextCandidate(taken: number): Attempt | undefined {
    if (taken >= this.#target) return undefined;
    for (let fetched = false; ; fetched = true) {
      for (let candidate = this.#pool.shift(); candidate !== undefined; candidate = this.#pool.shift()) {
        if (this.#isOut(candidate.nodeId)) continue;
        return { nodeId: candidate.nodeId, why: 'candidate', score: scoreOf(candidate), redirects: 0 };
      }
      if (fetched || !this.#stale) break;
      this.#fill();
    }
    this.#target = 0;
    return undefined;
  }

  #fill(): void {
    const { knowledge } = this.#deps;
    const fetch = (isExcluded: (nodeId: NodeId) => boolean) => [...knowledge.candidates(POOL, isExcluded)];
    const isBlamed = this.#doubts.blamedReporters > 0;
    this.#pool = fetch(
      (nodeId) => this.#isOut(nodeId) || (isBlamed && this.#doubts.isDoubtful(knowledge.reporters(nodeId))),
    );
    if (this.#pool.length === 0 && isBlamed) this.#pool = fetch((nodeId) => this.#isOut(nodeId));
    // A full pool leaves more to fetch once it is used up.
    this.#stale = this.#pool.length === POOL;
  }

  #enqueue(pick: Attempt): boolean {
    if (this.#isOut(pick.nodeId) || this.#leads.some(({ nodeId }) => nodeId === pick.nodeId)) return false;
    const ofOne = this.#leads.filter(({ lead }) => lead?.from === pick.lead?.from).length;
    if (this.#leads.length >= LEADS_MAX || ofOne >= LEADS_OF_ONE_MAX) return false;
    this.#leads.push(pick);
    return true;
  }

  #isOut(nodeId: NodeId): boolean {
    return this.#trying.has(nodeId) || this.#deps.isUnwanted(nodeId) || this.#doubts.isSkipped(nodeId);
  }
}
