import { defineErrors } from '../kernel/sdk/errors.ts';

export const tuiErrors = defineErrors('tui', {
  'no-terminal': {
    message: 'The terminal UI needs a terminal for input and output',
    hint: 'Use `itsgoin repl` for plain lines, or `itsgoin --daemon` for a node alone',
  },
});
