import { BoundedMap, peerKey } from '../../kernel/index.ts';
import type { NodeId, PeerId } from '../../kernel/index.ts';
import type { Verdict } from './contract.ts';

/** Peers whose lists are kept at once. Those beyond it are counted and not listened to. */
export const REPORTERS_MAX = 512;
/** Standings remembered of peers that left, so that reconnecting buys no fresh budget. */
const STANDINGS_MAX = 4_096;

/** What is left of a reporter's budget however often it was wrong. */
const STANDING_MIN = 1 / 256;
const FACTOR: Readonly<Record<Verdict, number>> = { proved: 1.5, 'not-reached': 0.95, refuted: 0.5 };
/** A standing doubles in this time, so that nobody is condemned for ever. */
const DOUBLES_MS = 3_600_000;

/** A peer whose lists we hold: one device, as two devices of one identity have neighbours of their own. */
export interface Reporter {
  readonly peer: PeerId;
  /** Its bit in the layers. */
  readonly number: number;
  /** The revision of its lists that we hold; -1 before the first whole one. */
  revision: number;
  /** When its last whole list came: what is older than the age limit is dropped. */
  listedAtMs: number;
  /** When we last asked it for a whole list. */
  askedAtMs: number;
}

interface Standing {
  value: number;
  atMs: number;
}

/** Who reports to us, under which number, and how much of their word we take. */
export class Reporters {
  readonly #byPeer = new Map<string, Reporter>();
  readonly #byNumber: (Reporter | undefined)[] = [];
  readonly #standings = new BoundedMap<NodeId, Standing>(STANDINGS_MAX);

  get size(): number {
    return this.#byPeer.size;
  }

  all(): IterableIterator<Reporter> {
    return this.#byPeer.values();
  }

  get(peer: PeerId): Reporter | undefined {
    return this.#byPeer.get(peerKey(peer));
  }

  /** Returns the reporter, making it if need be; `undefined` when there are {@link REPORTERS_MAX}. */
  ensure(peer: PeerId): Reporter | undefined {
    const known = this.get(peer);
    if (known !== undefined) return known;
    if (this.#byPeer.size >= REPORTERS_MAX) return undefined;
    let number = 0;
    while (this.#byNumber[number] !== undefined) number++;
    const reporter: Reporter = { peer, number, revision: -1, listedAtMs: 0, askedAtMs: -Infinity };
    this.#byPeer.set(peerKey(peer), reporter);
    this.#byNumber[number] = reporter;
    return reporter;
  }

  delete(reporter: Reporter): void {
    this.#byPeer.delete(peerKey(reporter.peer));
    this.#byNumber[reporter.number] = undefined;
  }

  nodesOf(numbers: readonly number[]): NodeId[] {
    return [...new Set(numbers.flatMap((number) => this.#byNumber[number]?.peer.nodeId ?? []))];
  }

  of(nodeId: NodeId): Reporter[] {
    return [...this.#byPeer.values()].filter(({ peer }) => peer.nodeId === nodeId);
  }

  /** From just above 0 to 1: the share of the full quotas this peer has. */
  standing(nodeId: NodeId, nowMs: number): number {
    const standing = this.#standings.get(nodeId);
    return standing === undefined ? 1 : Math.min(1, standing.value * 2 ** ((nowMs - standing.atMs) / DOUBLES_MS));
  }

  judge(nodeId: NodeId, verdict: Verdict, nowMs: number): void {
    const value = Math.max(STANDING_MIN, this.standing(nodeId, nowMs) * FACTOR[verdict]);
    if (value >= 1) this.#standings.delete(nodeId);
    else this.#standings.set(nodeId, { value, atMs: nowMs });
  }

  /** Whose standing is below 1, the lowest first. */
  doubted(nowMs: number): (readonly [NodeId, number])[] {
    return [...this.#standings.keys()]
      .map((nodeId) => [nodeId, this.standing(nodeId, nowMs)] as const)
      .filter(([, standing]) => standing < 1)
      .sort(([, one], [, other]) => one - other);
  }

  standings(): { nodeId: NodeId; value: number; atMs: number }[] {
    return [...this.#standings].map(([nodeId, standing]) => ({ nodeId, ...standing }));
  }

  restoreStandings(standings: readonly { nodeId: NodeId; value: number; atMs: number }[]): void {
    for (const { nodeId, value, atMs } of standings) this.#standings.set(nodeId, { value, atMs });
  }
}
