import { defineErrors } from '../errors.ts';

export const kitErrors = defineErrors('kit', {
  'empty-chunks': {
    message: 'A source of bytes yielded more than {max} chunks without a byte in a row.',
    hint: 'End it when nothing more comes, and wait for what is to come.',
  },
  'bad-node-id': {
    message: '"{text}" is not a node id.',
    hint: 'A node id is 64 hex characters: the part of a connect string before the @. The first 8 do for a node that is known',
  },
});
