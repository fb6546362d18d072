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
}

export const USAGE = `Usage: npm run sim -- list
       npm run sim -- <scenario> [--nodes N] [--seed S] [--minutes M] [--json] [--record file]
       npm run sim -- --replay file [--json]`;

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
