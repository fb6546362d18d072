import { codeOf } from '../kernel/sdk/errors.ts';
import type { ItsgoinError } from '../kernel/sdk/errors.ts';
import { simErrors } from './errors.ts';
import { simulateLight } from './light.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { recordTo, Replay } from './recording.ts';
import { showLightReport, showReport } from './report.ts';
import { isLight, readScenario, scenarioNames } from './scenario.ts';
import { simulate } from './simulation.ts';

/** `npm run sim`: exit code 0 when all that the scenario expects came true. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.scenario === 'list') return list(options.json);
  if (options.scenario === undefined && options.replay === undefined) {
    console.error(USAGE);
    return 2;
  }
  return options.replay === undefined ? run(options) : replay(options, options.replay);
}

function list(json: boolean): number {
  const scenarios = scenarioNames().map((name) => readScenario(name));
  if (json) {
    const entries = scenarios.map((scenario) => {
      const { name, about, seed, expect } = scenario;
      const size = isLight(scenario) ? { model: scenario.model } : { nodes: scenario.nodes, minutes: scenario.minutes };
      return { name, about, seed, ...size, expectations: expect.length };
    });
    console.log(JSON.stringify(entries, undefined, 2));
  } else for (const { name, about } of scenarios) console.log(`${name.padEnd(26)} ${about}`);
  return 0;
}

async function run(options: Options): Promise<number> {
  const { nodes, minutes, record } = options;
  const seed =
    options.seed === undefined
      ? undefined
      : Number.isFinite(Number(options.seed))
        ? Number(options.seed)
        : options.seed;
  const read = readScenario(options.scenario ?? '');
  if (isLight(read)) {
    if (nodes !== undefined || minutes !== undefined || record !== undefined) {
      throw simErrors.make('bad-option', { problem: 'the light model has 10,000 nodes, no clock and no frames' });
    }
    const report = simulateLight({ ...read, ...(seed !== undefined && { seed }) });
    console.log(options.json ? JSON.stringify(report, undefined, 2) : showLightReport(report));
    return report.passed ? 0 : 1;
  }
  const scenario = {
    ...read,
    ...(nodes !== undefined && { nodes }),
    ...(minutes !== undefined && { minutes }),
    ...(seed !== undefined && { seed }),
  };
  const sink = record === undefined ? undefined : recordTo(record, { ...scenario, scenario: scenario.name });
  const report = await simulate(scenario, sink, (line) => console.error(line));
  console.log(options.json ? JSON.stringify(report, undefined, 2) : showReport(report));
  return report.passed ? 0 : 1;
}

/** Runs what was recorded again, and says where it first went another way. */
async function replay(options: Options, file: string): Promise<number> {
  const recorded = new Replay(file);
  const { scenario: name, ...given } = recorded.options;
  const read = readScenario(name);
  if (isLight(read)) throw simErrors.make('bad-recording', { file, problem: `${name} has no frames` });
  const report = await simulate({ ...read, ...given }, recorded, (line) => console.error(line));
  const { difference } = recorded;
  if (options.json) console.log(JSON.stringify({ ...report, difference: difference ?? null }, undefined, 2));
  else {
    console.log(showReport(report));
    if (difference === undefined) console.log('The same frames as recorded.');
    else
      console.log(
        `Line ${difference.line} differs.\n  recorded: ${difference.recorded}\n  now:      ${difference.now}`,
      );
  }
  return report.passed && difference === undefined ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!codeOf(error).startsWith(`${simErrors.area}/`)) throw error;
  const { message, hint } = error as ItsgoinError;
  console.error(hint === undefined ? message : `${message}\n${hint}`);
  process.exitCode = 2;
}
