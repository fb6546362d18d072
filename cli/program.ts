import { Command, type CommanderError, type OutputConfiguration } from 'commander';
import type { CommandDescription } from '../kernel/control/protocol.ts';
import type { ItsgoinError } from '../kernel/sdk/errors.ts';
import { cliErrors } from './errors.ts';
import { convert, type Flag, flagsOf, optionOf, readSecret } from './flags.ts';

/** Options that every command has. */
export interface GlobalOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** Runs what was typed. `params` lacks the secrets that nobody gave yet; `missing` are those. */
export type Invoke = (
  command: CommandDescription,
  params: Record<string, unknown>,
  missing: readonly Flag[],
  options: GlobalOptions,
) => Promise<void>;

const GLOBAL_OPTIONS: [flags: string, about: string][] = [
  ['--data <dir>', 'The node’s data directory'],
  ['--json', 'Print the result as JSON'],
  ['--yes', 'Go ahead without asking'],
];

/** The whole command line as commander knows it, made from the commands' descriptions. */
export function buildProgram(
  descriptions: readonly CommandDescription[],
  invoke: Invoke,
  output: OutputConfiguration = {},
): Command {
  const program = new Command('itsgoin')
    .description('A social network with no server. Without a command: opens the terminal UI on this machine’s node.')
    .usage('[options] [command]')
    .exitOverride()
    .configureOutput({ ...output, outputError: () => {} })
    .showSuggestionAfterError(true);
  addGlobals(program, []);
  for (const description of [...descriptions].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const words = description.name.split('.');
    const parent = words.slice(0, -1).reduce(group, program);
    const command = find(parent, words.at(-1) as string) ?? parent.command(words.at(-1) as string);
    define(command, description, invoke);
  }
  describeGroups(program);
  return program;
}

/** A commander error in our terms: one line, and a hint. `undefined` when it only showed help or the version. */
export function explainUsage(
  error: CommanderError,
  program: Command,
  words: readonly string[],
): ItsgoinError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    const noun = words.find((word) => !word.startsWith('-')) ?? '';
    const verbs = find(program, noun)?.commands.map((command) => command.name()) ?? [];
    const problem = `${noun} needs one of: ${verbs.filter((verb) => verb !== 'help').join(', ')}`;
    return cliErrors.make('usage', { problem, advice: `See \`itsgoin ${noun} --help\`` });
  }
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const advice =
    suggestion === undefined || suggestion === '' ? 'See `itsgoin help`' : suggestion.replace(/^\(|\)$/g, '');
  return cliErrors.make('usage', { problem: first.charAt(0).toUpperCase() + first.slice(1), advice });
}

function group(parent: Command, word: string): Command {
  return find(parent, word) ?? parent.command(word);
}

function find(parent: Command, word: string): Command | undefined {
  return parent.commands.find((command) => command.name() === word);
}

function define(command: Command, description: CommandDescription, invoke: Invoke): void {
  const flags = flagsOf(description.params);
  const usage = description.name.replaceAll('.', ' ');
  const positional = description.positional.flatMap((name) => flags.find((flag) => flag.name === name) ?? []);
  command.description(description.about).allowExcessArguments(false);
  for (const { name, schema } of positional) {
    const variadic = schema.type === 'array' ? '...' : '';
    command.argument(`[${name}${variadic}]`, String(schema.description ?? ''));
  }
  for (const flag of flags) command.addOption(optionOf(flag));
  addGlobals(command, flags);
  command.action(async (...args: unknown[]) => {
    const typed = command.opts<Record<string, unknown>>();
    const params: Record<string, unknown> = {};
    for (const flag of flags) {
      const given = flag.secret ? secretOf(flag, typed) : typed[camel(flag.flag)];
      if (given !== undefined) params[flag.name] = convert(flag, given, usage);
    }
    for (const [index, flag] of positional.entries()) {
      const given = args[index];
      if (given !== undefined) params[flag.name] = convert(flag, given, usage);
    }
    const missing = flags.filter((flag) => flag.required && params[flag.name] === undefined);
    const first = missing.find((flag) => !flag.secret);
    if (first !== undefined) {
      const name = positional.includes(first) ? `<${first.name}>` : `--${first.flag}`;
      throw cliErrors.make('missing-param', { command: usage, name });
    }
    await invoke(description, params, missing, command.optsWithGlobals<GlobalOptions>());
  });
}

function secretOf(flag: Flag, typed: Record<string, unknown>): string | undefined {
  const file = typed[camel(`${flag.flag}-file`)];
  return typeof file === 'string' ? readSecret(file) : process.env[secretVariable(flag)];
}

/** The environment variable a secret may come from. */
export function secretVariable(flag: Flag): string {
  return `ITSGOIN_${flag.name.toUpperCase()}`;
}

function addGlobals(command: Command, taken: readonly Flag[]): void {
  for (const [flags, about] of GLOBAL_OPTIONS) {
    // A command with a param of that name keeps it; the global one still works before the command.
    if (!taken.some(({ flag }) => flags.startsWith(`--${flag} `) || flags === `--${flag}`))
      command.option(flags, about);
  }
}

function describeGroups(command: Command): void {
  for (const child of command.commands) {
    if (child.commands.length > 0 && child.description() === '') {
      child.description(child.commands.map((verb) => verb.name()).join(', '));
    }
    describeGroups(child);
  }
}

function camel(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
