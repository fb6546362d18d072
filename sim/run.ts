import { codeOf } from '../kernel/sdk/errors.ts';
import { simErrors } from './errors.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { recordTo, Replay } from './recording.ts';
import { showReport } from './report.ts';
import { readScenario, scenarioNames } from './scenario.ts';
import { simulate } from './simulation.ts';

/** `npm run sim`: exit code 0 when all that the scenario expects came true. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.scenario === 'list') {
    for (const name of scenarioNames()) console.log(`${name.padEnd(26)} ${readScenario(name).about}`);
    return 0;
  }
  if (options.scenario === undefined && options.replay === undefined) {
    console.error(USAGE);
    return 2;
  }
  return options.replay === undefined ? run(options) : replay(options, new Replay(options.replay));
}

async function run(options: Options): Promise<number> {
  const { nodes, minutes, seed, record } = options;
  const scenario = {
    ...readScenario(options.scenario ?? ''),
    ...(nodes !== undefined && { nodes }),
    ...(minutes !== undefined && { minutes }),
    ...(seed !== undefined && { seed: Number.isFinite(Number(seed)) ? Number(seed) : seed }),
  };
  const sink = record === undefined ? undefined : recordTo(record, { ...scenario, scenario: scenario.name });
  const report = await simulate(scenario, sink, (line) => console.error(line));
  console.log(options.json ? JSON.stringify(report, undefined, 2) : showReport(report));
  return report.passed ? 0 : 1;
}

/** Runs what was recorded again, and says where it first went another way. */
async function replay(options: Options, recorded: Replay): Promise<number> {
  const { scenario: name, ...given } = recorded.options;
  const report = await simulate({ ...readScenario(name), ...given }, recorded, (line) => console.error(line));
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
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
