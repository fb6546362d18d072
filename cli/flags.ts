import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { JsonSchema } from '../kernel/control/protocol.ts';
import { codeOf } from '../kernel/sdk/errors.ts';
import { cliErrors } from './errors.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A param of a command as the command line takes it. */
export interface Flag {
  /** As the command knows it: `reply_to`. */
  readonly name: string;
  /** As it is typed: `--reply-to`. */
  readonly flag: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly secret: boolean;
}

/** The flags of a params schema, in its order. */
export function flagsOf(params: JsonSchema): Flag[] {
  const required = params.required ?? [];
  return Object.entries(params.properties ?? {}).map(([name, schema]) => ({
    name,
    flag: name
      .replace(/([a-z])([A-Z])/g, '$1-$2')
      .replaceAll('_', '-')
      .toLowerCase(),
    schema,
    required: required.includes(name) && schema.default === undefined,
    secret: schema.format === 'password',
  }));
}

/** How commander is to take it. Secrets never come as a flag's value, which every process can see. */
export function optionOf({ flag, schema, secret, required }: Flag): Option {
  const about = [schema.description, choicesOf(schema)?.join('|'), required ? '(required)' : undefined];
  if (schema.default !== undefined && schema.default !== false)
    about.push(`(default: ${JSON.stringify(schema.default)})`);
  const text = about.filter((part) => part !== undefined).join(' ');
  if (secret) return new Option(`--${flag}-file <file>`, `${text}: a file with it on its first line`);
  if (schema.type === 'boolean') return new Option(schema.default === true ? `--no-${flag}` : `--${flag}`, text);
  if (schema.type === 'array') {
    return new Option(`--${flag} <value>`, `${text} (repeatable)`).argParser(
      (value: string, before: string[] | undefined) => [...(before ?? []), value],
    );
  }
  return new Option(`--${flag} <${placeholder(schema)}>`, text);
}

/** What was typed as the value the command wants. @throws cli/bad-value */
export function convert(flag: Flag, given: unknown, command: string): unknown {
  const { schema } = flag;
  if (Array.isArray(given)) {
    return given.map((item) => convert({ ...flag, schema: (schema.items ?? {}) as Schema }, item, command));
  }
  if (typeof given !== 'string') return given;
  const bad = (expected: string) => cliErrors.make('bad-value', { flag: `--${flag.flag}`, expected, given, command });
  const choices = choicesOf(schema);
  if (choices !== undefined && !choices.includes(given)) throw bad(`one of ${choices.join(', ')}`);
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const value = Number(given);
      if (given.trim() === '' || !Number.isFinite(value)) throw bad('a number');
      if (schema.type === 'integer' && !Number.isInteger(value)) throw bad('a whole number');
      return value;
    }
    case 'boolean':
      if (given !== 'true' && given !== 'false') throw bad('true or false');
      return given === 'true';
    case 'object':
      try {
        return JSON.parse(given);
      } catch {
        throw bad('JSON');
      }
    case 'string':
      return schema.format === 'path' ? resolve(given) : given;
    default:
      return given;
  }
}

/** The first line of a file that holds a secret. @throws cli/unreadable-file */
export function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw cliErrors.make('unreadable-file', { path, detail: codeOf(error) }, error);
  }
}

function choicesOf(schema: Schema): string[] | undefined {
  const options = (schema.enum ?? schema.anyOf) as unknown[] | undefined;
  if (!Array.isArray(options)) return undefined;
  const values = options.map((option) => {
    if (typeof option === 'string') return option;
    return typeof option === 'object' && option !== null && 'const' in option ? String(option.const) : undefined;
  });
  return values.every((value) => value !== undefined) ? values : undefined;
}

function placeholder(schema: Schema): string {
  if (schema.format === 'path') return 'path';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  return schema.type === 'object' ? 'json' : 'text';
}
