import { milliseconds } from './durations.ts';
import { MEASURES, type Scene } from './measures.ts';
import { mistakeIn } from './scenario.ts';
import type { Expectation, Scenario } from './scenario.ts';

/** How often an expectation that must hold for a while is looked at. */
export const SAMPLE_MS = 10_000;

export interface CheckResult {
  readonly expectation: Expectation;
  readonly passed: boolean;
  /** The value, or the worst one of a while. */
  readonly value: number;
  /** When the value was taken. */
  readonly atMs: number;
}

/** One expectation of a scenario, looked at as time goes by. */
export class Check {
  readonly expectation: Expectation;
  readonly #fromMs: number;
  readonly #untilMs: number;
  #worst: { value: number; atMs: number; off: number } | undefined;

  /** @throws sim/bad-scenario for a measure there is not */
  constructor(expectation: Expectation, scenario: Scenario) {
    const { that, at, from, until, min, max } = expectation;
    const endMs = scenario.minutes * 60_000;
    const problem = !Object.hasOwn(MEASURES, that)
      ? `there is no measure "${that}"`
      : min === undefined && max === undefined
        ? `"${that}" has neither min nor max`
        : undefined;
    if (problem !== undefined) throw mistakeIn(scenario.name, problem);
    this.expectation = expectation;
    // A shorter run (--minutes) looks at its own end instead.
    this.#untilMs = Math.min(endMs, milliseconds(at ?? until ?? `${endMs}ms`));
    this.#fromMs = from === undefined ? this.#untilMs : Math.min(endMs, milliseconds(from));
  }

  /** When it must be looked at. */
  timesMs(): number[] {
    const times = [];
    for (let at = this.#fromMs; at < this.#untilMs; at += SAMPLE_MS) times.push(at);
    return [...times, this.#untilMs];
  }

  look(scene: Scene): void {
    const atMs = scene.world.elapsedMs;
    if (atMs < this.#fromMs || atMs > this.#untilMs + SAMPLE_MS) return;
    const { that, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = this.expectation;
    const value = MEASURES[that]?.read(scene) ?? Number.NaN;
    const off = Number.isNaN(value) ? Number.POSITIVE_INFINITY : Math.max(min - value, value - max);
    if (this.#worst === undefined || off > this.#worst.off) this.#worst = { value, atMs, off };
  }

  result(): CheckResult {
    const { value = Number.NaN, atMs = 0, off = Number.POSITIVE_INFINITY } = this.#worst ?? {};
    return { expectation: this.expectation, passed: off <= 0, value, atMs };
  }
}
