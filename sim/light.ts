import { createHash } from 'node:crypto';
import { measureWorm } from '../bench/worm/worm.ts';
import { simErrors } from './errors.ts';
import { GrowthModel } from './growth-model.ts';
import type { LightScenario } from './scenario.ts';

export interface LightCheck {
  readonly expectation: LightScenario['expect'][number];
  readonly value: number;
  readonly passed: boolean;
}

/** What came of one case of a model. */
export type Figures = Readonly<Record<string, number | string>> & { readonly what: string };

export interface LightReport {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number | string;
  readonly wallMs: number;
  /** Of every figure: the same for the same seed. */
  readonly traceHash: string;
  readonly cases: readonly Figures[];
  readonly checks: readonly LightCheck[];
  readonly passed: boolean;
}

/** @throws sim/bad-scenario for a case or a figure there is not */
export function simulateLight(scenario: LightScenario): LightReport {
  const startedMs = performance.now();
  const cases = measure(scenario);
  const checks = scenario.expect.map((expectation): LightCheck => {
    const { case: name, that, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = expectation;
    const value = cases.find(({ what }) => what === name)?.[that];
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

function measure(scenario: LightScenario): Figures[] {
  if (scenario.model === 'growth') {
    const { seed, minutes } = scenario;
    return scenario.cases.map((one) => ({ ...new GrowthModel({ ...one, seed, minutes }).run() }));
  }
  const wanted = [...new Set(scenario.expect.map((expectation) => expectation.case))];
  return measureWorm(scenario.seed, scenario.searches, wanted).map((figures) => ({ ...figures }));
}
