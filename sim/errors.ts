import { defineErrors } from '../kernel/sdk/errors.ts';

export const simErrors = defineErrors('sim', {
  'unknown-scenario': { message: 'There is no scenario {name}', hint: '`npm run sim -- list` shows them.' },
  'no-scenario-file': {
    message: 'The scenario file {file} cannot be read: {reason}',
    hint: 'A path is taken from the folder the command runs in.',
  },
  'bad-scenario': { message: '{file} is no scenario: {problem}' },
  'bad-option': { message: '{problem}', hint: '`npm run sim -- --help` shows the usage.' },
  'bad-recording': { message: '{file} is no recorded wire trace: {problem}' },
});
