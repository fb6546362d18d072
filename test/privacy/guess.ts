import type { Random } from '../../kernel/index.ts';

/** One guess: how much an entry looks like a contact, and whether it is one. */
export interface Guess {
  readonly score: number;
  readonly isContact: boolean;
}

/**
 * How well a score tells contacts from others, over lists that are each judged for themselves: 0.5 is
 * blind, 1 and 0 are sure. The share of pairs within a list of which the contact scores higher.
 */
export function areaUnderCurve(lists: readonly (readonly Guess[])[]): number {
  let [wins, pairs] = [0, 0];
  for (const list of lists) {
    const others = list.filter(({ isContact }) => !isContact);
    for (const contact of list.filter(({ isContact }) => isContact)) {
      for (const other of others) {
        pairs++;
        wins += contact.score > other.score ? 1 : contact.score === other.score ? 0.5 : 0;
      }
    }
  }
  return pairs === 0 ? 0.5 : wins / pairs;
}

/**
 * How likely it is that chance alone guesses as well or better, in either direction: who is a contact is
 * drawn anew within each list.
 */
export function chanceOf(lists: readonly (readonly Guess[])[], random: Random, draws = 400): number {
  const found = Math.abs(areaUnderCurve(lists) - 0.5);
  let asGood = 0;
  for (let draw = 0; draw < draws; draw++) {
    const drawn = lists.map((list) => {
      const labels = list.map(({ isContact }) => isContact);
      for (let at = labels.length - 1; at > 0; at--) {
        const other = random.integer(at + 1);
        [labels[at], labels[other]] = [labels[other] as boolean, labels[at] as boolean];
      }
      return list.map(({ score }, at) => ({ score, isContact: labels[at] as boolean }));
    });
    if (Math.abs(areaUnderCurve(drawn) - 0.5) >= found - 1e-12) asGood++;
  }
  return asGood / draws;
}
