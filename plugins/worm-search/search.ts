import type { TimerHandle } from '../../kernel/index.ts';
import { Claims } from './claims.ts';
import {
  type Answer,
  FINDINGS_MAX,
  type SearchWorld,
  WORM_FAN_OUT_MS,
  WORM_NOVA_MS,
  WORM_TOTAL_MS,
} from './search-world.ts';

/*
 * The worm search over the interface of search-world.ts. It keeps no promises and few timers, because
 * a search over a large model is twenty thousand events.
 */

/** Share of the burst that must have answered for the nova to begin before the burst's time is over. */
const QUORUM = 0.9;
/** Findings of the burst may hold the nova back until this long after the start. */
const NOVA_LATEST_MS = 600;
/**
 * Findings tried at once and in one search, and how long one may take. A nova with 2 in 100 liars brings 200
 * lies, and one knower alone may have the truth: with half of this, 1 or 2 searches in 100 do not get to it.
 */
const VERIFY_PARALLEL = 32;
const VERIFY_MAX = 128;
const VERIFY_MS = 1_500;
/** Referrals followed in one search; with a full mesh asked before, 202 queries (WORM-06). */
export const NOVA_MAX = 101;

export interface SearchStep {
  readonly step: 'local' | 'burst' | 'nova' | 'verify';
  readonly atMs: number;
  tookMs: number;
  asked: number;
  answered: number;
  hits: number;
}

export interface SearchOutcome<Finding> {
  readonly finding: Finding | undefined;
  readonly local: boolean;
  readonly tookMs: number;
  readonly steps: readonly SearchStep[];
  readonly relayHops: number;
  /** Queries sent on by referred nodes, as they say. */
  readonly relayed: number;
}

/** Runs one search; `done` is called once, within WORM_TOTAL_MS. Returns what calls it off without a word. */
export function runSearch<Id, Finding, Referral>(
  world: SearchWorld<Id, Finding, Referral>,
  done: (outcome: SearchOutcome<Finding>) => void,
): () => void {
  const search = new Search(world, done);
  search.start();
  return () => search.cancel();
}

class Search<Id, Finding, Referral> {
  readonly #world: SearchWorld<Id, Finding, Referral>;
  readonly #done: (outcome: SearchOutcome<Finding>) => void;
  readonly #startMs: number;
  readonly #timers: TimerHandle[] = [];
  readonly #steps: SearchStep[] = [];
  readonly #claims: Claims<Finding>;
  readonly #referrals = new Map<unknown, Referral>();
  #burst: SearchStep | undefined;
  #nova: SearchStep | undefined;
  #verify: SearchStep | undefined;
  #burstOver = false;
  #novaOver = false;
  #verifying = 0;
  #relayed = 0;
  #ended = false;

  constructor(world: SearchWorld<Id, Finding, Referral>, done: (outcome: SearchOutcome<Finding>) => void) {
    this.#world = world;
    this.#done = done;
    this.#claims = new Claims(world.random);
    this.#startMs = world.clock.monotonic();
  }

  start(): void {
    const known = this.#world.local();
    const local = this.#step('local');
    local.asked = local.answered = 1;
    local.hits = known.length;
    if (known.length > 0) {
      this.#finish(known[0], true);
      return;
    }
    this.#after(WORM_TOTAL_MS, () => this.#finish(undefined));
    this.#sendBurst();
  }

  cancel(): void {
    this.#ended = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #sendBurst(): void {
    const burst = this.#step('burst');
    this.#burst = burst;
    const peers = this.#world.peers();
    burst.asked = peers.length;
    this.#after(WORM_FAN_OUT_MS, () => this.#endBurst());
    let replies = 0;
    for (const peer of peers) {
      if (this.#ended) return;
      this.#world.ask(peer, WORM_FAN_OUT_MS, (answer) => {
        if (this.#ended || this.#nowMs() > WORM_FAN_OUT_MS) return;
        replies += 1;
        this.#take(burst, answer);
        if (answer?.referral !== undefined && this.#referrals.size < NOVA_MAX) {
          this.#referrals.set(this.#world.referralKey(answer.referral), answer.referral);
        }
        if (replies === burst.asked) this.#endBurst();
        else if (burst.answered >= QUORUM * burst.asked) this.#sendNova();
      });
    }
    if (peers.length === 0) this.#endBurst();
  }

  #endBurst(): void {
    if (this.#burstOver) return;
    this.#burstOver = true;
    if (this.#burst !== undefined) this.#burst.tookMs = this.#nowMs() - this.#burst.atMs;
    if (this.#verifying > 0) this.#after(NOVA_LATEST_MS - this.#nowMs(), () => this.#sendNova(true));
    this.#sendNova();
  }

  /** Once: when the burst is answered or over, and no finding of it is being tried. */
  #sendNova(hurry = false): void {
    if (this.#ended || this.#nova !== undefined || (this.#verifying > 0 && !hurry)) return;
    const nova = this.#step('nova');
    this.#nova = nova;
    let replies = 0;
    const limitMs = Math.min(WORM_NOVA_MS, WORM_TOTAL_MS - this.#nowMs());
    this.#after(limitMs, () => this.#endNova());
    const referrals = [...this.#referrals.values()];
    let sent = 0;
    let sending = true;
    const check = (): void => {
      if (!sending && replies === sent) this.#endNova();
    };
    for (const referral of referrals) {
      if (this.#ended) return;
      const asked = this.#world.nova(referral, limitMs, (answer) => {
        if (this.#ended || this.#novaOver) return;
        replies += 1;
        this.#take(nova, answer);
        check();
      });
      if (asked) {
        sent += 1;
        nova.asked = sent;
      }
    }
    sending = false;
    check();
  }

  #endNova(): void {
    if (this.#novaOver || this.#nova === undefined) return;
    this.#novaOver = true;
    this.#nova.tookMs = this.#nowMs() - this.#nova.atMs;
    this.#giveUpWhenIdle();
  }

  #take(step: SearchStep, answer: Answer<Finding, Referral> | undefined): void {
    if (answer === undefined) return;
    step.answered += 1;
    step.tookMs = this.#nowMs() - step.atMs;
    this.#relayed += answer.relayed;
    const findings = answer.findings.slice(0, FINDINGS_MAX);
    if (findings.length > 0) step.hits += 1;
    const own = new Map(findings.map((finding) => [this.#world.findingKey(finding), finding] as const));
    for (const [key, finding] of own) this.#claims.add(key, finding, this.#world.distrust(finding));
    this.#verifyNext();
  }

  #verifyNext(): void {
    while (!this.#ended && this.#verifying < VERIFY_PARALLEL) {
      if ((this.#verify?.asked ?? 0) >= VERIFY_MAX) return;
      const finding = this.#claims.take();
      if (finding === undefined) return;
      this.#verify ??= this.#step('verify');
      const verify = this.#verify;
      verify.asked += 1;
      this.#verifying += 1;
      this.#world.verify(finding, Math.min(VERIFY_MS, WORM_TOTAL_MS - this.#nowMs()), (proven) => {
        if (this.#ended) return;
        this.#verifying -= 1;
        verify.answered += 1;
        verify.tookMs = this.#nowMs() - verify.atMs;
        if (proven) {
          verify.hits += 1;
          return this.#finish(finding);
        }
        this.#verifyNext();
        if (this.#burstOver) this.#sendNova();
        this.#giveUpWhenIdle();
      });
    }
  }

  #giveUpWhenIdle(): void {
    if (this.#ended || !this.#burstOver || !this.#novaOver || this.#verifying > 0) return;
    this.#finish(undefined);
  }

  #finish(finding: Finding | undefined, local = false): void {
    if (this.#ended) return;
    this.cancel();
    this.#done({
      finding,
      local,
      tookMs: this.#nowMs(),
      steps: this.#steps,
      relayHops: (this.#burst?.asked ?? 0) + (this.#nova?.asked ?? 0),
      relayed: this.#relayed,
    });
  }

  #step(step: SearchStep['step']): SearchStep {
    const made: SearchStep = { step, atMs: this.#nowMs(), tookMs: 0, asked: 0, answered: 0, hits: 0 };
    this.#steps.push(made);
    return made;
  }

  #nowMs(): number {
    return this.#world.clock.monotonic() - this.#startMs;
  }

  #after(ms: number, run: () => void): void {
    this.#timers.push(this.#world.clock.timer(Math.max(0, ms), () => !this.#ended && run()));
  }
}
