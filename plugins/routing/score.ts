const NOT_IN_N3_BONUS = 0.3;

/** CONN-02: unique reach first, and what is not even in N3 before what is. */
export function candidateScore(reporterCount: number, inN3: boolean): number {
  return 1 / reporterCount + (inN3 ? 0 : NOT_IN_N3_BONUS);
}
