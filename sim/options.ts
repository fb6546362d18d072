import { parseArgs } from 'node:util';
import { simErrors } from './errors.ts';

/** What the command line asks for; undefined leaves it to the scenario. */
export interface Options {
  readonly scenario: string | undefined;
  readonly nodes: number | undefined;
  readonly minutes: number | undefined;
  readonly seed: string | undefined;
  readonly json: boolean;
  readonly record: string | undefined;
  readonly replay: string | undefined;
  readonly help: boolean;
}

export const USAGE = `Usage: npm run sim -- list [--json]
       npm run sim -- <scenario> [--nodes N] [--seed S] [--minutes M] [--json] [--record file]
       npm run sim -- --replay file [--json]

A scenario is one of those that \`list\` shows, or a file: ./my.json. sim/README.md says how to write one.

  --nodes N      machines, in place of the scenario's number
  --seed S       a number or a text: another network
  --minutes M    of virtual time, in place of the scenario's
  --json         the list or the report for programs
  --record file  keeps every frame, one a line
  --replay file  runs a recording again, and says which frame first differs
  -h, --help     shows this

Exit code: 0 when all that the scenario expects came true, 1 when not, 2 when it could not be run.`;

/** @throws sim/bad-option */
export function readOptions(args: readonly string[]): Options {
  const string = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        nodes: string,
        minutes: string,
        seed: string,
        json: { type: 'boolean' },
        record: string,
        replay: string,
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (positionals.length > 1) throw new Error(`one scenario at a time, not ${positionals.join(' and ')}`);
    return {
      scenario: positionals[0],
      nodes: number('nodes', values.nodes, Number.isSafeInteger),
      minutes: number('minutes', values.minutes, Number.isFinite),
      seed: values.seed,
      json: values.json === true,
      record: values.record,
      replay: values.replay,
      help: values.help === true,
    };
  } catch (error) {
    throw simErrors.make('bad-option', { problem: error instanceof Error ? error.message : String(error) });
  }
}

function number(name: string, text: string | undefined, fits: (value: number) => boolean): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!fits(value) || value <= 0) throw new Error(`--${name} is no number above 0: ${text}`);
  return value;
}
