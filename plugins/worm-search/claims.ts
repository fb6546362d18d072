import type { Random } from '../../kernel/index.ts';

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

/** What was claimed and not tried yet. It lives as long as one search, which bounds it. */
export class Claims<Finding> {
  readonly #random: Pick<Random, 'integer'>;
  /** `undefined` for what has been tried. */
  readonly #claims = new Map<unknown, Claim<Finding> | undefined>();

  constructor(random: Pick<Random, 'integer'>) {
    this.#random = random;
  }

  add(key: unknown, finding: Finding, distrust: number): void {
    const claim = this.#claims.get(key);
    if (claim !== undefined) {
      claim.votes += 1;
      claim.distrust = Math.min(claim.distrust, distrust);
    } else if (!this.#claims.has(key)) this.#claims.set(key, { finding, distrust, votes: 1 });
  }

  /** Takes the best one; at random among equals, so that answering first is worth nothing to a liar. */
  take(): Finding | undefined {
    let best: [key: unknown, claim: Claim<Finding>] | undefined;
    let equals = 0;
    for (const [key, claim] of this.#claims) {
      if (claim === undefined) continue;
      const order = best === undefined ? -1 : claim.distrust - best[1].distrust || best[1].votes - claim.votes;
      if (order > 0) continue;
      equals = order < 0 ? 1 : equals + 1;
      if (order < 0 || this.#random.integer(equals) === 0) best = [key, claim];
    }
    if (best !== undefined) this.#claims.set(best[0], undefined);
    return best?.[1].finding;
  }
}
