import { defineErrors } from '../sdk/errors.ts';

export const configErrors = defineErrors('config', {
  syntax: {
    message: '{path} is not JSON: line {line}, column {column}: {detail}',
    hint: 'Correct the file; it was not changed.',
  },
  unreadable: { message: 'Cannot read {path}: {detail}', hint: 'Check who owns the file and its permissions.' },
  'unknown-key': { message: 'There is no setting {key} in {where}', hint: '{hint}' },
  'bad-value': {
    message: '{key} in {where} {expected}',
    hint: 'Correct it, or remove it (`itsgoin config unset`); without it the default counts.',
  },
  'not-set': { message: '{key} is not set.', hint: '`itsgoin config list` shows what counts and what is wrong.' },
  'moved-key': {
    message: 'The setting {key} belongs to another plugin now.',
    hint: '`itsgoin config list` shows every setting under its present name.',
  },
});
