import { defineErrors } from '../sdk/errors.ts';

/** What a caller of a command may have got wrong, whoever serves the command: the node itself or a plugin. */
export const commandErrors = defineErrors('command', {
  'unknown-command': {
    message: 'There is no command {command}',
    hint: 'List the commands with `itsgoin help`; a plugin that is off offers none',
  },
  'unknown-id': {
    message: 'No {kind} is known here whose id begins with {prefix}',
    hint: 'Ids are in `itsgoin peer list`, `itsgoin follow list` and `itsgoin post list`; the whole id is taken in any case',
  },
  'ambiguous-id': {
    message: 'More than one {kind} begins with {prefix}: {candidates}',
    hint: 'Give more of its characters',
  },
  'bad-params': {
    message: '{command}: {detail}',
    hint: 'See `itsgoin {usage} --help`',
  },
});
