import { defineErrors, ItsgoinError } from '../kernel/sdk/errors.ts';

/** Mistakes on the command line itself. All of them exit with 2. */
export const cliErrors = defineErrors('cli', {
  usage: { message: '{problem}', hint: '{advice}' },
  'missing-param': { message: '{command} needs {name}', hint: 'See `itsgoin {command} --help`' },
  'input-too-long': {
    message: 'More than {limit} bytes came by standard input',
    hint: 'Nothing was sent; give a shorter text',
  },
  'bad-value': { message: '{flag} takes {expected}, not "{given}"', hint: 'See `itsgoin {command} --help`' },
  unconfirmed: {
    message: '{question} Nobody is there to answer',
    hint: 'Add --yes to go ahead without being asked',
  },
  'no-passphrase': {
    message: '{command} needs a {name}, and there is no terminal to ask on',
    hint: 'Give --{flag}-file, or set {variable}',
  },
  'hidden-input': {
    message: 'The line mode cannot take a secret unseen',
    hint: 'Give it by file, or run the command outside the line mode',
  },
  'unreadable-file': { message: 'Cannot read {path}: {detail}', hint: 'Check the path and its permissions' },
  'open-quote': { message: 'A quote is not closed', hint: 'Close it, or put a backslash before it' },
  'no-terminal': {
    message: '{what} needs a terminal',
    hint: 'Use the commands (`itsgoin help`), or --daemon for a node without one',
  },
  'plugin-off': {
    message: '{command} belongs to the plugin {plugin}, which is off',
    hint: 'Switch it on with `itsgoin plugin enable {plugin}`',
  },
  interrupted: { message: 'Interrupted' },
});

/** Mistakes of the caller, whoever notices them. */
const USAGE_CODES = ['command/unknown-command', 'command/bad-params', 'control/bad-name'];

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The exit code of an error: 2 for wrong use, 130 for Ctrl-C, 1 for all else. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ItsgoinError)) return EXIT.failed;
  if (error.code === cliErrors.code('interrupted')) return EXIT.interrupted;
  if (error.code === cliErrors.code('plugin-off')) return EXIT.failed;
  return error.code.startsWith('cli/') || USAGE_CODES.includes(error.code) ? EXIT.usage : EXIT.failed;
}
