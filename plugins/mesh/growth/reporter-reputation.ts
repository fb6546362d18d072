import { BoundedMap } from '../../../kernel/index.ts';
import type { Clock, NodeId } from '../../../kernel/index.ts';

/** Candidates left alone; beyond it the one longest in the list is tried again. */
const SKIPPED_MAX = 4_096;
/** A reporter so many of whose nodes could not be reached gives the last candidates, not the first. */
const BLAME_MAX = 3;
const BLAMED_MAX = 512;

/** Whom growth leaves alone for a while, and whose word it takes last. */
export class ReporterReputation {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #skipped = new BoundedMap<NodeId, number>(SKIPPED_MAX);
  /** Reporters by how many of their nodes could not be reached of late. */
  readonly #blame = new BoundedMap<NodeId, number>(BLAMED_MAX);

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get skipped(): BoundedMap<NodeId, number> {
    return this.#skipped;
  }

  get blamedReporters(): number {
    let count = 0;
    for (const blame of this.#blame.values()) if (blame >= BLAME_MAX) count++;
    return count;
  }

  skip(nodeId: NodeId, untilMs: number): void {
    this.#skipped.set(nodeId, untilMs);
  }

  isSkipped(nodeId: NodeId): boolean {
    const untilMs = this.#skipped.get(nodeId);
    if (untilMs === undefined) return false;
    if (untilMs > this.#clock.now()) return true;
    this.#skipped.delete(nodeId);
    return false;
  }

  /** The node could not be reached. True when one of those who named it is to be heard last from now on. */
  blame(reporters: readonly NodeId[]): boolean {
    let isBlamed = false;
    for (const reporter of reporters) {
      const blame = (this.#blame.get(reporter) ?? 0) + 1;
      this.#blame.set(reporter, blame);
      isBlamed ||= blame >= BLAME_MAX;
    }
    return isBlamed;
  }

  /** The node was there, as they said. */
  credit(reporters: readonly NodeId[]): void {
    for (const reporter of reporters) this.#lower(reporter, (this.#blame.get(reporter) ?? 0) - 1);
  }

  /** Called with each growth timer that is not left out: what was long ago counts less. */
  fade(): void {
    for (const [reporter, blame] of [...this.#blame]) this.#lower(reporter, blame > 1 ? blame / 2 : 0);
  }

  /** Nobody names the node but reporters whose nodes could not be reached. */
  isDoubtful(reporters: readonly NodeId[]): boolean {
    return reporters.length > 0 && reporters.every((reporter) => (this.#blame.get(reporter) ?? 0) >= BLAME_MAX);
  }

  #lower(reporter: NodeId, blame: number): void {
    if (blame <= 0) this.#blame.delete(reporter);
    else this.#blame.set(reporter, blame);
  }
}
