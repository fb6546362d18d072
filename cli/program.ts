import { Command, type CommanderError, Option, type OutputConfiguration } from 'commander';
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

/** Options for the node that the bare `itsgoin` starts; a command talks to one that runs already. */
const NODE_OPTIONS = ['daemon', 'linear', 'safe', 'bind', 'port', 'maxMesh', 'logLevel'];

/** Options of `itsgoin` itself that take a value, so that it is not mistaken for a command. */
const VALUE_OPTIONS = ['--data', '--bind', '--port', '--max-mesh', '--log-level', '--anchors'];

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
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
  addNodeOptions(addGlobals(program, []));
  program.command('repl').description('The same commands line by line, without a full screen');
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
    const noun = firstWord(words) ?? '';
    if (noun === 'help') {
      const asked = words.slice(words.indexOf('help') + 1).join(' ');
      return cliErrors.make('usage', { problem: `There is no command "${asked}"`, advice: 'See `itsgoin help`' });
    }
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
    refuseNodeOptions(command, usage);
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

/** @throws cli/usage, where ignoring the option would mislead: `itsgoin --port 5 status` changes no port. */
function refuseNodeOptions(command: Command, usage: string): void {
  let program = command;
  while (program.parent) program = program.parent;
  const given = program.options.find(
    (option) =>
      NODE_OPTIONS.includes(option.attributeName()) &&
      program.getOptionValueSource(option.attributeName()) !== undefined,
  );
  if (given === undefined) return;
  throw cliErrors.make('usage', {
    problem: `${given.long} is for starting a node, and \`${usage}\` asks one that runs`,
    advice: `Leave it out, or start a node with \`itsgoin ${given.flags}\``,
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

/** Options of `itsgoin` itself, for the node it starts. */
export function addNodeOptions(command: Command): Command {
  return command
    .option('--daemon', 'Run the node without a user interface, until SIGTERM or `itsgoin shutdown`')
    .option('--linear', 'The terminal UI as plain lines, for screen readers')
    .option('--safe', 'Start without third-party plugins; `itsgoin plugin list` shows what is left out')
    .option('--bind <address:port>', 'Listen on this address, and tell others that one')
    .option('--port <number>', 'UDP port to listen on; 0 takes any free one')
    .option('--max-mesh <number>', 'Mesh peers at most, for this run; config mesh.maxMesh is for all')
    .addOption(
      new Option('--log-level <level>', 'How much goes to the log').choices(['debug', 'info', 'warn', 'error']),
    )
    .addOption(
      new Option(
        '--anchors <connect string>',
        'Start from this anchor instead of those in anchors.json; may be repeated',
      ).argParser((anchor: string, before: readonly string[] = []) => [...before, anchor]),
    );
}

/** The command's first word, past the options of `itsgoin` itself; `undefined` when there is none. */
export function firstWord(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (VALUE_OPTIONS.includes(word)) index++;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

export function addGlobals(command: Command, taken: readonly Flag[]): Command {
  for (const [flags, about] of GLOBAL_OPTIONS) {
    // A command with a param of that name keeps it; the global one still works before the command.
    if (!taken.some(({ flag }) => flags.startsWith(`--${flag} `) || flags === `--${flag}`))
      command.option(flags, about);
  }
  return command;
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
