import { defineErrors } from '../sdk/errors.ts';

/** What a caller of a command may have got wrong, whoever serves the command: the node itself or a plugin. */
export const commandErrors = defineErrors('command', {
  'unknown-command': {
    message: 'There is no command {command}',
    hint: 'List the commands with `itsgoin help`; a plugin that is off offers none',
  },
  'bad-params': {
    message: '{command}: {detail}',
    hint: 'See `itsgoin {usage} --help`',
  },
});
