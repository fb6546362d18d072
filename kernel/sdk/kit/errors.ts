import { defineErrors } from '../errors.ts';

export const kitErrors = defineErrors('kit', {
  'bad-node-id': {
    message: '"{text}" is not a node id.',
    hint: 'A node id is 64 hex characters: the part of a connect string before the @.',
  },
});
