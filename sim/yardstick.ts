import { createHash } from 'node:crypto';
import { quantile } from './graph.ts';

const RECORDS = 10_000;

/**
 * Processor time as a number that means the same on every machine: in units of one fixed piece of work, measured
 * again and again during the run, because shared machines change their speed by half within minutes.
 */
export class Yardstick {
  readonly #samplesMs: number[] = [];

  /** Takes about 10 ms. */
  measure(): void {
    const before = process.cpuUsage();
    fixedWork();
    const { user, system } = process.cpuUsage(before);
    this.#samplesMs.push((user + system) / 1_000);
  }

  /** The median cost of the fixed work so far, in milliseconds of processor time. */
  unitMs(): number {
    if (this.#samplesMs.length === 0) this.measure();
    return quantile(
      [...this.#samplesMs].sort((a, b) => a - b),
      0.5,
    );
  }
}

/** What a simulated network spends its time on: small objects in maps, JSON, hashes. */
function fixedWork(): number {
  const records = new Map<string, { readonly hops: number; readonly text: string }>();
  for (let n = 0; n < RECORDS; n++) records.set(`node-${n}`, { hops: n % 7, text: String(n * 2_654_435_761) });
  const json = JSON.stringify([...records]);
  const hash = createHash('sha256').update(json).digest();
  return (JSON.parse(json) as unknown[]).length + hash.length;
}
