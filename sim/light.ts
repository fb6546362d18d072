import { createHash } from 'node:crypto';
import { measureWorm, type WormFigures } from '../bench/worm/worm.ts';
import { simErrors } from './errors.ts';
import type { LightScenario } from './scenario.ts';

export interface LightCheck {
  readonly expectation: LightScenario['expect'][number];
  readonly value: number;
  readonly passed: boolean;
}

export interface LightReport {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number | string;
  readonly wallMs: number;
  /** Of every figure: the same for the same seed. */
  readonly traceHash: string;
  readonly cases: readonly WormFigures[];
  readonly checks: readonly LightCheck[];
  readonly passed: boolean;
}

/** @throws sim/bad-scenario for a case or a figure there is not */
export function simulateLight(scenario: LightScenario): LightReport {
  const startedMs = performance.now();
  const wanted = [...new Set(scenario.expect.map((expectation) => expectation.case))];
  const cases = measureWorm(scenario.seed, scenario.searches, wanted);
  const checks = scenario.expect.map((expectation): LightCheck => {
    const { case: name, that, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = expectation;
    const figures = cases.find(({ what }) => what === name) as Record<string, unknown> | undefined;
    const value = figures?.[that];
    if (typeof value !== 'number') {
      const problem = `there is no figure "${that}" of a case "${name}"`;
      throw simErrors.make('bad-scenario', { file: `${scenario.name}.json`, problem });
    }
    return { expectation, value, passed: value >= min && value <= max };
  });
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed: scenario.seed,
    wallMs: performance.now() - startedMs,
    traceHash: createHash('sha256').update(JSON.stringify(cases)).digest('hex').slice(0, 32),
    cases,
    checks,
    passed: checks.every(({ passed }) => passed),
  };
}
