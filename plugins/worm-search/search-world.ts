import type { Clock, Random } from '../../kernel/index.ts';

/*
 * What the worm search runs on: a small interface that the plugin fills with the wire, and the
 * simulator's light model with integers.
 */

/** App A: the whole search, one answer to the burst, one answer to the nova with its connect. */
export const WORM_TOTAL_MS = 3_000;
export const WORM_FAN_OUT_MS = 500;
export const WORM_NOVA_MS = 1_500;

/** Findings one answer may carry: the whole of it is the word of one node. */
export const FINDINGS_MAX = 4;
/** What an asked node says: who it thinks has the target, and a random node of its N2. */
export interface Answer<Finding, Referral> {
  readonly findings: readonly Finding[];
  readonly referral: Referral | undefined;
  /** Queries it says that it sent on. */
  readonly relayed: number;
}

export type Reply<Finding, Referral> = (answer: Answer<Finding, Referral> | undefined) => void;

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
