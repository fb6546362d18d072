import { NodeIdSchema, Type } from '../../../kernel/index.ts';
import type { Clock, NodeId, Static } from '../../../kernel/index.ts';
import type { Lead } from '../api.ts';
import { candidateScore } from '../../routing/api.ts';
import type { Candidate } from '../../routing/api.ts';
import type { Attempt, GrowthOutcome } from './attempt.ts';

import { CandidateQueue, LeadsState } from './candidate-queue.ts';
import { BackoffState, GrowthBackoff, REFUSALS_MAX } from './growth-backoff.ts';
import { ReporterReputation } from './reporter-reputation.ts';

/** CONN-01: below this share of its slots a node grows on each list it gets, above it on the timer. */
export const REACTIVE_SHARE = 0.9;
/** CONN-04. It is also the number of attempts at once, so that ten dead candidates cost three dials. */
export const FAILURES_MAX = 3;
/** A candidate that was not reached is left alone for so long, one that was full for shorter. */
const UNREACHABLE_MS = 30 * 60_000;
const REFUSED_MS = 5 * 60_000;
/** One that was full and was not asked to make room: the next timer may ask it to. */
const NOT_PLEADED_MS = 45_000;
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

/** An attempt under way. */
interface Trying extends Attempt {
  /** It says that room is needed. */
  readonly pleads: boolean;
}

/** What a swap hands over. */
export const GrowthState = Type.Object({
  failures: Type.Integer(),
  refusals: BackoffState,
  leads: LeadsState,
  skipped: Type.Array(Type.Object({ nodeId: NodeIdSchema, untilMs: Type.Number() })),
});
export type GrowthState = Static<typeof GrowthState>;

/**
 * Decides whom to try for the mesh, and when to stop (CONN-01 to CONN-04). Pure: it dials nobody and
 * waits for nothing. Call a signal ({@link learned}, {@link tick}, {@link request}, {@link offer}), take
 * from {@link next} until it returns nothing, and say in {@link settled} what became of each.
 */
export class Growth {
  readonly #deps: GrowthDeps;
  readonly #reputation: ReporterReputation;
  readonly #trying = new Map<NodeId, Trying>();
  readonly #queue = new CandidateQueue();
  readonly #backoff = new GrowthBackoff();
  #pool: Candidate[] = [];
  /** Knowledge has changed since the pool was filled. */
  #stale = true;
  /** Slots to fill now; 0 while there is no reason to grow. */
  #target = 0;
  #failures = 0;

  constructor(deps: GrowthDeps) {
    this.#deps = deps;
    this.#reputation = new ReporterReputation(deps.clock);
  }

  get trying(): number {
    return this.#trying.size;
  }

  /** True when full nodes were all that was found of late. */
  get findsOnlyFull(): boolean {
    return this.#backoff.areAll;
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

  /** Too much failed: only a signal ends it. */
  get isBackedOff(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  /** A list came: grow at once, until the mesh is 90 % full. */
  learned(): void {
    const { used } = this.#deps.room();
    const reactive = this.#reactive;
    this.#stale = true;
    this.#failures = 0;
    if (used < reactive && this.#backoff.count < REFUSALS_MAX) this.#target = Math.max(this.#target, reactive);
  }

  /** The timer of 60 s: grow to the last slot. It does not end a back-off. */
  tick(): void {
    if (!this.#backoff.tick(this.#isNearlyFull)) return;
    this.#stale = true;
    this.#target = this.#deps.room().limit;
    this.#reputation.fade();
  }

  /** Somebody has reason to think that it is worth trying again: recovery, or a rebalance. */
  request(): void {
    this.#backoff.forgive();
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
    const pick = this.#queue.take(({ nodeId }) => this.#isOut(nodeId)) ?? this.#nextCandidate(taken);
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
      this.#reputation.skip(nodeId, now + UNREACHABLE_MS);
      if (this.#reputation.blame(reporters)) {
        // What is in the pool may be its word alone.
        this.#pool = [];
        this.#stale = true;
      }
    } else {
      this.#failures = 0;
      this.#reputation.credit(reporters);
    }
    if (outcome === 'refused') {
      this.#reputation.skip(nodeId, now + (pleads ? REFUSED_MS : NOT_PLEADED_MS));
      if (this.#backoff.add(this.#isNearlyFull)) {
        if (this.#target > 0 && this.#isNearlyFull) this.#backoff.rest();
        this.#target = 0;
      }
    }
    if (outcome === 'joined') this.#backoff.joined();
  }

  get #reactive(): number {
    return Math.ceil(this.#deps.room().limit * REACTIVE_SHARE);
  }

  get #isNearlyFull(): boolean {
    return this.#deps.room().used >= this.#reactive;
  }

  /** Why it grows at this moment or does not, in words. */
  #verdict(): string {
    const { used, limit } = this.#deps.room();
    if (used >= limit) return 'the mesh is full';
    if (this.#trying.size > 0) return `trying ${this.#trying.size} now`;
    if (this.isBackedOff) return `stopped after ${this.#failures} failures, until a peer's list comes`;
    const { ticksLeftOut, count } = this.#backoff;
    if (ticksLeftOut > 0) return `nearly full, leaves out ${ticksLeftOut} more timers`;
    if (count > 0) return `the last ${count} were full, waits for the timer`;
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
      leads: this.#queue.size,
      failures: this.#failures,
      refusals: this.#backoff.count,
      skipped: this.#reputation.skipped.size,
      blamed_reporters: this.#reputation.blamedReporters,
      candidates: this.#deps.knowledge
        .candidates(limit, (nodeId) => this.#isOut(nodeId))
        .map((candidate) => ({
          node_id: candidate.nodeId as string,
          score: candidateScore(candidate.reporterCount, candidate.inN3),
          reporters: candidate.reporterCount,
          in_n3: candidate.inN3,
        })),
    };
  }

  snapshot(): GrowthState {
    return {
      failures: this.#failures,
      refusals: this.#backoff.snapshot(),
      leads: this.#queue.snapshot(),
      skipped: [...this.#reputation.skipped].map(([nodeId, untilMs]) => ({ nodeId, untilMs })),
    };
  }

  restore({ failures, refusals, leads, skipped }: GrowthState): void {
    this.#failures = failures;
    this.#backoff.restore(refusals);
    this.#queue.restore(leads);
    for (const { nodeId, untilMs } of skipped) this.#reputation.skip(nodeId, untilMs);
  }

  #nextCandidate(taken: number): Attempt | undefined {
    if (taken >= this.#target) return undefined;
    for (let fetched = false; ; fetched = true) {
      for (let candidate = this.#pool.shift(); candidate !== undefined; candidate = this.#pool.shift()) {
        if (this.#isOut(candidate.nodeId)) continue;
        return {
          nodeId: candidate.nodeId,
          why: 'candidate',
          score: candidateScore(candidate.reporterCount, candidate.inN3),
          redirects: 0,
        };
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
    const isBlamed = this.#reputation.blamedReporters > 0;
    this.#pool = fetch(
      (nodeId) => this.#isOut(nodeId) || (isBlamed && this.#reputation.isDoubtful(knowledge.reporters(nodeId))),
    );
    if (this.#pool.length === 0 && isBlamed) this.#pool = fetch((nodeId) => this.#isOut(nodeId));
    // A full pool leaves more to fetch once it is used up.
    this.#stale = this.#pool.length === POOL;
  }

  #enqueue(pick: Attempt): boolean {
    return !this.#isOut(pick.nodeId) && this.#queue.add(pick);
  }

  #isOut(nodeId: NodeId): boolean {
    return this.#trying.has(nodeId) || this.#deps.isUnwanted(nodeId) || this.#reputation.isSkipped(nodeId);
  }
}
