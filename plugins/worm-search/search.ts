import type { Clock, Random, TimerHandle } from '../../kernel/index.ts';

/*
 * The worm search as an algorithm over a small interface: the plugin runs it over the wire, the
 * simulator's light model over integers. It keeps no promises and few timers, because a search
 * over a large model is twenty thousand events.
 */

/** App A: the whole search, one answer to the burst, one answer to the nova with its connect. */
export const WORM_TOTAL_MS = 3_000;
export const WORM_FAN_OUT_MS = 500;
export const WORM_NOVA_MS = 1_500;

/** Share of the burst that must have answered for the nova to begin before the burst's time is over. */
const QUORUM = 0.9;
/** Findings of the burst may hold the nova back until this long after the start. */
const NOVA_LATEST_MS = 1_000;
/** How long a referred peer goes on collecting after its first finding, which may be a lie. */
const GRACE_MS = 100;
/** Findings one answer may carry: the whole of it is the word of one node. */
export const FINDINGS_MAX = 4;
/** Findings tried at once and in one search, and how long one may take. */
const VERIFY_PARALLEL = 16;
const VERIFY_MAX = 64;
const VERIFY_MS = 1_500;
/** Referrals followed in one search; with a full mesh asked before, 202 queries (WORM-06). */
export const NOVA_MAX = 101;

/** What an asked node says: who it thinks has the target, and a random node of its N2. */
export interface Answer<Finding, Referral> {
  readonly findings: readonly Finding[];
  readonly referral: Referral | undefined;
  /** Queries it says that it sent on. */
  readonly relayed: number;
}

type Reply<Finding, Referral> = (answer: Answer<Finding, Referral> | undefined) => void;

/** What a node needs to answer for itself and its mesh peers. */
export interface FanOutWorld<Id, Finding, Referral> {
  readonly clock: Pick<Clock, 'monotonic' | 'timer'>;
  /** Whom the node knows to have the target, without a packet. */
  local(): readonly Finding[];
  /** Mesh peers to ask. */
  peers(): readonly Id[];
  /** Sends a query with ttl 0 to a peer; replies at most once, with `undefined` when there is no answer. */
  ask(peer: Id, limitMs: number, reply: Reply<Finding, Referral>): void;
}

export interface SearchWorld<Id, Finding, Referral> extends FanOutWorld<Id, Finding, Referral> {
  readonly random: Pick<Random, 'integer'>;
  /** Says what makes two findings, or two referrals, the same. */
  findingKey(finding: Finding): unknown;
  referralKey(referral: Referral): unknown;
  /** Connects to a referred node and sends it the query with ttl 1; false when it must not be asked. */
  nova(referral: Referral, limitMs: number, reply: Reply<Finding, Referral>): boolean;
  /** Connects to the holder, and fetches content from it; true when it has what was looked for. */
  verify(finding: Finding, limitMs: number, done: (proven: boolean) => void): void;
  /** Broken claims of the node that answered; those of others are tried first. */
  distrust(finding: Finding): number;
}

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

/**
 * The same finding of one or more answers. Those that agree tell the truth, or lie together and then
 * share one try; who lies alone stands last.
 */
interface Claim<Finding> {
  readonly finding: Finding;
  /** Broken claims of the most trusted who made it. */
  distrust: number;
  /** Answers that made it. */
  votes: number;
}

/** Runs one search; `done` is called once, within WORM_TOTAL_MS. Gives what calls it off without a word. */
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
  /** What was claimed, and `undefined` for what has been tried. */
  readonly #claims = new Map<unknown, Claim<Finding> | undefined>();
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
    for (const [key, finding] of own) {
      const claim = this.#claims.get(key);
      const distrust = this.#world.distrust(finding);
      if (claim !== undefined) {
        claim.votes += 1;
        claim.distrust = Math.min(claim.distrust, distrust);
      } else if (!this.#claims.has(key)) this.#claims.set(key, { finding, distrust, votes: 1 });
    }
    this.#verifyNext();
  }

  #verifyNext(): void {
    while (!this.#ended && this.#verifying < VERIFY_PARALLEL) {
      if ((this.#verify?.asked ?? 0) >= VERIFY_MAX) return;
      const claim = this.#pickClaim();
      if (claim === undefined) return;
      this.#verify ??= this.#step('verify');
      const verify = this.#verify;
      verify.asked += 1;
      this.#verifying += 1;
      this.#world.verify(claim.finding, Math.min(VERIFY_MS, WORM_TOTAL_MS - this.#nowMs()), (proven) => {
        if (this.#ended) return;
        this.#verifying -= 1;
        verify.answered += 1;
        verify.tookMs = this.#nowMs() - verify.atMs;
        if (proven) {
          verify.hits += 1;
          return this.#finish(claim.finding);
        }
        this.#verifyNext();
        if (this.#burstOver) this.#sendNova();
        this.#giveUpWhenIdle();
      });
    }
  }

  /** At random among the best, so that answering first is worth nothing to a liar. */
  #pickClaim(): Claim<Finding> | undefined {
    let best: [key: unknown, claim: Claim<Finding>] | undefined;
    let equals = 0;
    for (const [key, claim] of this.#claims) {
      if (claim === undefined) continue;
      const order = best === undefined ? -1 : claim.distrust - best[1].distrust || best[1].votes - claim.votes;
      if (order > 0) continue;
      equals = order < 0 ? 1 : equals + 1;
      if (order < 0 || this.#world.random.integer(equals) === 0) best = [key, claim];
    }
    if (best !== undefined) this.#claims.set(best[0], undefined);
    return best?.[1];
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

/**
 * What a referred node does with a query of ttl 1 (WORM-04): looks at home, else asks its mesh peers
 * with ttl 0. `done` is called once, within WORM_FAN_OUT_MS. Gives what calls it off without a word.
 */
export function runRelay<Id, Finding, Referral>(
  world: FanOutWorld<Id, Finding, Referral>,
  done: (findings: readonly Finding[], asked: number) => void,
): () => void {
  const findings: Finding[] = [...world.local()].slice(0, FINDINGS_MAX);
  let timer: TimerHandle | undefined;
  let ended = false;
  const cancel = (): void => {
    ended = true;
    timer?.cancel();
  };
  let asked = 0;
  const finish = (): void => {
    if (ended) return;
    cancel();
    done(findings, asked);
  };
  if (findings.length > 0) {
    finish();
    return cancel;
  }
  const startMs = world.clock.monotonic();
  const peers = world.peers();
  timer = world.clock.timer(WORM_FAN_OUT_MS, finish);
  let replies = 0;
  asked = peers.length;
  for (const peer of peers) {
    world.ask(peer, WORM_FAN_OUT_MS, (answer) => {
      if (ended) return;
      replies += 1;
      const first = answer?.findings[0];
      if (first !== undefined) {
        // One of each answerer: the rest of an answer is no better than its first.
        findings.push(first);
        if (findings.length === 1) {
          const leftMs = WORM_FAN_OUT_MS - (world.clock.monotonic() - startMs);
          timer?.cancel();
          timer = world.clock.timer(Math.max(0, Math.min(GRACE_MS, leftMs)), finish);
        }
      }
      if (replies === peers.length || findings.length === FINDINGS_MAX) finish();
    });
  }
  if (peers.length === 0) finish();
  return cancel;
}
